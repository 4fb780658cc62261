/* test_header.c - bytes of a header that FORMAT.md knows as one value, and text: each refused with its sentence.
 * SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "core/wisp.h"
#include "draw.h"
#include "text.h"

typedef struct file {
  uint8_t *bytes;
  size_t size;
} file;

/* What the file says with one other byte, its checksums right. */
static void test_byte(const file *f, size_t at, int value, wisp_status expected,
                      const char *words) {
  wisp_model *model;
  wisp_error error = {WISP_OK, ""};
  const uint8_t before = f->bytes[at];
  CHECK_CASE("byte %zu is %d instead of %d", at, value, before);
  f->bytes[at] = (uint8_t)value;
  net_repair(f->bytes, f->size);
  CHECK_EQ(wisp_model_open(&model), WISP_OK);
  CHECK_EQ(wisp_model_feed(model, f->bytes, f->size, &error), expected);
  if (!CHECK(strstr(error.message, words) != NULL)) printf("\"%s\"\n", error.message);
  wisp_model_close(&model);
  f->bytes[at] = before;
}

/* Where a layer's record begins: after the 16 bytes of input and counts and 8 of each tensor. */
static size_t layer_at(const file *f, int layer) {
  size_t at = 24 + 16 + 8 * (size_t)f->bytes[32];
  for (int i = 0; i < layer; i++)
    at += 30 + 2 * (size_t)(f->bytes[at + 3] + (f->bytes[at + 2] & 1));
  return at;
}

static void test_reserved(const file *f) {
  const size_t head = layer_at(f, 7), anchors = f->bytes[head + 5];
  const size_t classes = head + 8 + 8 * anchors, provenance = classes + 2 * 9; /* "class 0" */
  test_byte(f, 24 + 7, 1, WISP_ERR_UNSUPPORTED, "Byte 7 of the model's header is 1");
  test_byte(f, 24 + 16 + 3, 255, WISP_ERR_UNSUPPORTED, "Byte 19 of the model's header is 255");
  test_byte(f, 24 + 16 + 8 * 5 + 3, 1, WISP_ERR_UNSUPPORTED, "Byte 59 ");
  test_byte(f, head + 6, 1, WISP_ERR_FORMAT,
            "needs a tensor of its own with 16 channels; tensor 7 has 14");
  test_byte(f, head + 7, 1, WISP_ERR_LIMIT, "Head 0 has 256 masks; up to 128 are possible.");
  test_byte(f, layer_at(f, 3) - 8, 1, WISP_ERR_FORMAT,
            "Layer 2 is a maxpool; it can't have weights"); /* its CRC */
  test_byte(f, classes + 2, 0xff, WISP_ERR_FORMAT, "The name of class 0 is no UTF-8");
  test_byte(f, classes + 9 + 8, 0xc3, WISP_ERR_FORMAT, "The name of class 1 is no UTF-8");
  test_byte(f, classes + 5, 0, WISP_ERR_FORMAT, "The name of class 0 is no UTF-8");
  test_byte(f, provenance + 4, '[', WISP_ERR_FORMAT, "no JSON object");
  test_byte(f, provenance + 9, 0x80, WISP_ERR_FORMAT, "no JSON object");
  test_byte(f, net_header_end(f->bytes) - 1, ' ', WISP_ERR_FORMAT, "no JSON object");
}

/* By RFC 3629. */
static void test_text(void) {
  static const char *const texts[] = {"",
                                      "a",
                                      "\x7f",
                                      "\xc2\x80",
                                      "\xc3\xbc",
                                      "\xdf\xbf",
                                      "\xe0\xa0\x80",
                                      "\xed\x9f\xbf",
                                      "\xee\x80\x80",
                                      "\xef\xbf\xbf",
                                      "\xf0\x90\x80\x80",
                                      "\xf4\x8f\xbf\xbf",
                                      "m\xc3\xbcll"};
  static const char *const others[] = {"\x80",
                                       "\xbf",
                                       "\xc0\x80",
                                       "\xc1\xbf",
                                       "\xc3",
                                       ("\xc3"
                                        "a"),
                                       "\xe0\x9f\xbf",
                                       "\xe2\x82",
                                       "\xed\xa0\x80",
                                       "\xed\xbf\xbf",
                                       "\xf0\x8f\xbf\xbf",
                                       "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80",
                                       "\xff",
                                       "a\xfe"};
  CHECK_CASE("text");
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    CHECK(wisp_is_text((const uint8_t *)texts[i], strlen(texts[i])));
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    CHECK(!wisp_is_text((const uint8_t *)others[i], strlen(others[i])));
  CHECK(!wisp_is_text((const uint8_t *)"a\0b", 3));
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  net n;
  file f;
  draw_small_net(&n);
  f.bytes = net_write(&n, &f.size);
  net_free(&n);
  test_byte(&f, 24 + 7, 0, WISP_OK, ""); /* as it is */
  test_reserved(&f);
  test_text();
  free(f.bytes);
  return check_end();
}
