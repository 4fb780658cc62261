/* test_model.c - .wisp files whole, in pieces, cut short, wrecked in every field: errors with a sentence.
 * SPDX-License-Identifier: Apache-2.0
 *
 * `test_model --corpus FOLDER` writes some small files for the fuzzer to start from. */
#include "payload.h"

#include <math.h>

#include "check.h"
#include "draw.h"

typedef struct file {
  uint8_t *bytes;
  size_t size;
} file;

static file small_file(void) {
  net n;
  draw_small_net(&n);
  file f;
  f.bytes = net_write(&n, &f.size);
  net_free(&n);
  return f;
}

static int has_sentence(const wisp_error *error, wisp_status status) {
  const size_t length = strlen(error->message);
  return error->status == status && length > 10 &&
         (error->message[length - 1] == '.' || length == sizeof error->message - 1);
}

/* Feeds the bytes in one piece. An error's sentence is checked. */
static wisp_status feed(wisp_model **model, const uint8_t *bytes, size_t size, wisp_error *error) {
  *error = (wisp_error){WISP_OK, ""};
  CHECK_EQ(wisp_model_open(model), WISP_OK);
  const wisp_status status = wisp_model_feed(*model, bytes, size, error);
  if (status != WISP_OK && !CHECK(has_sentence(error, status))) printf("\"%s\"\n", error->message);
  return status;
}

/* Opens a detector at the least size and detects once. An error's sentence is checked. */
static wisp_status open_and_detect(const wisp_model *model, wisp_error *error) {
  static const uint8_t rgba[2 * 3 * 4] = {255, 0, 9, 255, 80, 70, 60};
  const wisp_frame frame = {rgba, 2, 3, 8};
  const wisp_options options = {.confidence = 0.01f, .iou = 0.5f, .max_detections = 20};
  wisp_settings settings = wisp_default_settings();
  wisp_detector *detector;
  wisp_result result;
  *error = (wisp_error){WISP_OK, ""};
  wisp_status status = wisp_open(&detector, model, &settings, error);
  if (status == WISP_OK) status = wisp_detect(detector, &frame, 1, &options, &result, error);
  if (status != WISP_OK) CHECK(has_sentence(error, status));
  wisp_close(&detector);
  return status;
}

/* ---- pieces ---- */

static void check_equal_models(const wisp_model *a, const wisp_model *b) {
  CHECK_EQ(a->state, WISP_IS_COMPLETE);
  CHECK_EQ(a->layers, b->layers);
  for (int i = 0; i < a->layers; i++) {
    if (!CHECK_EQ(a->layer[i].payload_size, b->layer[i].payload_size) || !b->layer[i].payload)
      continue;
    const wisp_weights_view v = wisp_payload_view(b, i);
    const uint8_t *start = b->layer[i].payload, *end = (const uint8_t *)v.weights;
    CHECK_SAME(a->layer[i].payload, start, (size_t)(end - start + v.blocks_present * WISP_LANES));
  }
  for (int i = 0; i < b->classes; i++)
    CHECK(strcmp(wisp_model_class(a, i), wisp_model_class(b, i)) == 0);
}

static void test_pieces(const file *f, int largest) {
  wisp_model *whole, *model;
  wisp_error error;
  CHECK_CASE("pieces of up to %d bytes", largest);
  CHECK_EQ(feed(&whole, f->bytes, f->size, &error), WISP_OK);
  CHECK_EQ(wisp_model_open(&model), WISP_OK);
  CHECK_EQ(wisp_model_feed(model, NULL, 0, &error), WISP_OK);
  for (size_t at = 0; at < f->size;) {
    size_t n = (size_t)random_int(largest > 1 ? 0 : 1, largest);
    if (n > f->size - at) n = f->size - at;
    uint8_t *piece = check_allocate(n); /* so that a read past its end is seen */
    memcpy(piece, f->bytes + at, n);
    CHECK_EQ(wisp_model_size(model), at < 24 ? 0 : f->size);
    CHECK_EQ(wisp_model_feed(model, piece, n, &error), WISP_OK);
    free(piece);
    at += n;
  }
  check_equal_models(model, whole);
  CHECK_EQ(open_and_detect(model, &error), WISP_OK);
  CHECK_EQ(wisp_model_feed(model, NULL, 0, &error), WISP_OK);
  CHECK_EQ(wisp_model_feed(model, f->bytes, 1, &error),
           WISP_ERR_FORMAT); /* goes on after its end */
  CHECK(has_sentence(&error, WISP_ERR_FORMAT));
  CHECK_EQ(wisp_model_feed(model, NULL, 0, &error), WISP_ERR_FORMAT); /* and stays broken */
  wisp_model_close(&model);
  wisp_model_close(&whole);
}

static void test_truncated(const file *f, size_t size) {
  wisp_model *model;
  wisp_error error;
  wisp_model_info info;
  wisp_layer_info layer;
  CHECK_CASE("the first %zu bytes", size);
  CHECK_EQ(feed(&model, f->bytes, size, &error), WISP_OK);
  CHECK_EQ(open_and_detect(model, &error), WISP_ERR_TRUNCATED);
  const int has_header = size >= net_header_end(f->bytes);
  CHECK_EQ(wisp_model_describe(model, &info), has_header ? WISP_OK : WISP_ERR_TRUNCATED);
  CHECK_EQ(wisp_model_layer(model, 0, &layer), has_header ? WISP_OK : WISP_ERR_TRUNCATED);
  CHECK_EQ(wisp_model_class(model, 0) != NULL, has_header);
  wisp_model_close(&model);
}

/* ---- wrecked bytes ---- */

/* Without repair every changed byte is found. */
static void test_damaged(const file *f, size_t at) {
  uint8_t *bytes = check_allocate(f->size);
  memcpy(bytes, f->bytes, f->size);
  bytes[at] ^= (uint8_t)(1 << random_int(0, 7));
  wisp_model *model;
  wisp_error error;
  CHECK_CASE("byte %zu of %zu damaged", at, f->size);
  const wisp_status status = feed(&model, bytes, f->size, &error);
  CHECK_EQ(status, at < 4 ? WISP_ERR_FORMAT : at < 8 ? WISP_ERR_VERSION : WISP_ERR_CHECKSUM);
  CHECK_EQ(open_and_detect(model, &error), status);
  wisp_model_close(&model);
  free(bytes);
}

/* With checksums that are right a changed byte is an error with a sentence or another sound model. */
static void test_wrecked(const file *f, size_t at, int value) {
  uint8_t *bytes = check_allocate(f->size);
  memcpy(bytes, f->bytes, f->size);
  bytes[at] = (uint8_t)value;
  net_repair(bytes, f->size);
  wisp_model *model;
  wisp_error error;
  CHECK_CASE("byte %zu of %zu is %d", at, f->size, value);
  if (feed(&model, bytes, f->size, &error) == WISP_OK) open_and_detect(model, &error);
  wisp_model_close(&model);
  free(bytes);
}

static void test_bytes(const file *f) {
  static const int values[] = {0, 1, 2, 15, 16, 64, 127, 128, 192, 255};
  for (size_t at = 0; at < f->size; at++) test_damaged(f, at);
  for (size_t at = 0; at < net_header_end(f->bytes); at++) {
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) test_wrecked(f, at, values[i]);
    test_wrecked(f, at, f->bytes[at] ^ 1);
  }
  for (size_t at = net_header_end(f->bytes); at < f->size; at++)
    test_wrecked(f, at, random_int(0, 255));
}

/* Fields that FORMAT.md leaves one value. */
static wisp_status wreck_fixed(net *n, int which) {
  net_layer *l = n->layer;
  switch (which) {
    case 54: n->tensor[0].scale = 1.0f / 254; return WISP_ERR_FORMAT;
    case 55: n->tensor[0].zero_point = 1; return WISP_ERR_FORMAT;
    case 56: n->tensor[l[6].output].scale = 2; return WISP_ERR_FORMAT; /* of a head */
    case 57: n->tensor[l[6].output].zero_point = 3; return WISP_ERR_FORMAT;
    case 58: l[1].slope = 0.1f; return WISP_ERR_FORMAT;     /* of SiLU */
    case 59: l[4].kernel_width = 3; return WISP_ERR_FORMAT; /* of an upsample */
    case 60: l[5].activation = 5; return WISP_ERR_FORMAT;   /* sigmoid, with a residual */
    case 61: l[5].activation = 6; return WISP_ERR_FORMAT;   /* hard sigmoid */
    case 62: l[2].operation = 5; return WISP_ERR_FORMAT;    /* an average with a kernel */
    case 63: l[4].operation = 5; return WISP_ERR_FORMAT;    /* with a stride */
    case 64: l[4].operation = 6; return WISP_ERR_FORMAT;    /* a scale by nothing */
    case 65: l[4].inputs[1] = l[4].input_count = 2; return WISP_ERR_FORMAT; /* 2x2, of two */
    case 66: l[4].stride_y = 1, l[4].inputs[1] = l[4].input_count = 2; return WISP_ERR_FORMAT;
    default: return WISP_OK;
  }
}

/* Prototypes of 8 channels, and what needs them. */
static wisp_status wreck_masks(net *n, int which) {
  static const net_head heads[] = {{3, 0, 4, 0, 8, {{0}}}, /* the picture */
                                   {3, 2, 4, 0, 7, {{0}}},
                                   {3, 2, 4, 0, 8, {{0}}},
                                   {3, 2, 4, 1, 8, {{8, 8}}}};
  n->head[1] = n->head[2] = heads[2];
  if (which < 69) n->head[0] = heads[which - 65];
  else if (which > 70) n->head[0].masks = which == 71 ? 1 : 129;
  else n->heads = which - 67; /* without coefficients; twice */
  return which > 72 ? WISP_OK : which == 72 ? WISP_ERR_LIMIT : WISP_ERR_FORMAT;
}

/* Changes one thing in the small network and says which error must come of it. WISP_OK: there is no such change. */
static wisp_status wreck(net *n, int which) {
  net_layer *l = n->layer;
  switch (which) {
    case 0: n->block = 3; return WISP_ERR_FORMAT;
    case 1: n->stride = 0; return WISP_ERR_FORMAT;
    case 2: n->stride = 33; return WISP_ERR_FORMAT;
    case 3: n->height = 0; return WISP_ERR_FORMAT;
    case 4: n->width = 48; return WISP_ERR_FORMAT;
    case 5: n->block = 1; return WISP_ERR_FORMAT; /* tensor 0 has 12 channels */
    case 6: n->tensor[2].channels = 0; return WISP_ERR_LIMIT;
    case 7: n->tensor[2].channels = 16385; return WISP_ERR_LIMIT;
    case 8: n->tensor[2].scale = 0; return WISP_ERR_FORMAT;
    case 9: n->tensor[2].scale = -1; return WISP_ERR_FORMAT;
    case 10: n->tensor[2].scale = NAN; return WISP_ERR_FORMAT;
    case 11: n->tensor[2].scale = INFINITY; return WISP_ERR_FORMAT;
    case 12: l[1].operation = 0; return WISP_ERR_UNSUPPORTED;
    case 13: l[1].operation = 7; return WISP_ERR_UNSUPPORTED;
    case 14: l[1].activation = 7; return WISP_ERR_UNSUPPORTED;
    case 15: l[1].kernel_height = 0; return WISP_ERR_LIMIT;
    case 16: l[1].kernel_width = 16; return WISP_ERR_LIMIT;
    case 17: l[1].stride_y = 0; return WISP_ERR_LIMIT;
    case 18: l[1].stride_x = 9; return WISP_ERR_LIMIT;
    case 19: l[1].pad_top = 3; return WISP_ERR_FORMAT;
    case 20: l[1].pad_right = 200; return WISP_ERR_FORMAT;
    case 21: l[1].slope = 1; return WISP_ERR_FORMAT;
    case 22: l[1].slope = -0.5f; return WISP_ERR_FORMAT;
    case 23: l[1].slope = NAN; return WISP_ERR_FORMAT;
    case 24: l[1].output = 60; return WISP_ERR_FORMAT;
    case 25: l[1].output = 0; return WISP_ERR_FORMAT;
    case 26: l[1].inputs[0] = n->tensors - 1; return WISP_ERR_FORMAT; /* a head */
    case 27: l[1].inputs[0] = 4; return WISP_ERR_FORMAT;              /* not yet written */
    case 28: l[1].inputs[0] = 1000; return WISP_ERR_FORMAT;
    case 29: l[1].kernel_height = 2; return WISP_ERR_FORMAT; /* not what the payload is for */
    case 30: l[2].activation = 3; return WISP_ERR_FORMAT;    /* of a max-pool */
    case 31: n->tensor[l[2].output].zero_point ^= 1; return WISP_ERR_FORMAT;
    case 32: n->tensor[l[2].output].scale *= 2; return WISP_ERR_FORMAT;
    case 33: l[5].residual = 1; return WISP_ERR_FORMAT;   /* other channels */
    case 34: l[6].activation = 1; return WISP_ERR_FORMAT; /* of a head */
    case 35: n->head[0].tensor = 0; return WISP_ERR_FORMAT;
    case 36: n->head[0].tensor = 70; return WISP_ERR_FORMAT;
    case 37: n->head[0].stride = 0; return WISP_ERR_FORMAT;
    case 38: n->head[0].sizes[0][1] = 0; return WISP_ERR_FORMAT;
    case 39: n->head[0].sizes[0][0] = NAN; return WISP_ERR_FORMAT;
    case 40: n->classes = 3; return WISP_ERR_FORMAT; /* the head has channels for 2 */
    case 41: n->heads = 0; return WISP_ERR_FORMAT;
    case 42: n->layers--; return WISP_ERR_FORMAT;
    case 43: n->tensors--; return WISP_ERR_FORMAT;
    case 44: l[1].scale[2] = 0; return WISP_ERR_FORMAT;
    case 45: l[1].scale[0] = -1; return WISP_ERR_FORMAT;
    case 46: l[1].scale[0] = NAN; return WISP_ERR_FORMAT;
    case 47: l[1].bias[7] = INFINITY; return WISP_ERR_FORMAT;
    case 48: l[1].bias[7] = l[1].scale[7] * 1.1e9f; return WISP_ERR_LIMIT;
    case 49: l[1].weights[0] = 64; return WISP_ERR_FORMAT;
    case 50: l[1].operation = 4; return WISP_ERR_FORMAT; /* depthwise, of 6 channels to 8 */
    case 51: l[5].operation = 4; return WISP_ERR_FORMAT; /* of two inputs */
    case 52: l[6].operation = 4; return WISP_ERR_FORMAT; /* a head */
    case 53: l[3].operation = 4; return WISP_ERR_FORMAT; /* with the payload of a convolution */
    default: return which < 67 ? wreck_fixed(n, which) : wreck_masks(n, which - 2);
  }
}

static int test_wreck(int which) {
  net n;
  draw_small_net(&n);
  n.layer[1].masked = 0;
  memset(n.layer[1].present, 1, (size_t)n.layer[1].blocks);
  const wisp_status expected = wreck(&n, which);
  if (expected != WISP_OK) {
    size_t size;
    uint8_t *bytes = net_write(&n, &size);
    wisp_model *model;
    wisp_error error;
    CHECK_CASE("wreck %d", which);
    if (!CHECK_EQ(feed(&model, bytes, size, &error), expected)) printf("\"%s\"\n", error.message);
    wisp_model_close(&model);
    free(bytes);
  }
  net_free(&n);
  return expected != WISP_OK;
}

/* Little-endian values at fixed places. */
static void test_preamble(const file *f, size_t at, uint32_t value, wisp_status expected,
                          const char *word) {
  uint8_t *bytes = check_allocate(f->size);
  memcpy(bytes, f->bytes, f->size);
  for (int i = 0; i < 4; i++) bytes[at + (size_t)i] = (uint8_t)(value >> 8 * i);
  net_repair(bytes, f->size);
  wisp_model *model;
  wisp_error error;
  CHECK_CASE("u32 at %zu is %u", at, value);
  CHECK_EQ(feed(&model, bytes, f->size, &error), expected);
  CHECK(strstr(error.message, word) != NULL);
  wisp_model_close(&model);
  free(bytes);
}

/* ---- larger than any machine ---- */

static void add_layer(net *n, int operation, int input, int output, int stride) {
  net_layer *l = &n->layer[n->layers++];
  *l = (net_layer){.operation = operation,
                   .input_count = 1,
                   .inputs = {input},
                   .output = output,
                   .residual = -1};
  l->kernel_height = l->kernel_width = 1;
  l->stride_y = l->stride_x = stride;
  if (operation != WISP_OP_CONV) return;
  net_make_weights(n, l);
  for (int c = 0; c < l->channels; c++) l->scale[c] = 0.01f;
}

/* What feeding the net's file says, and then opening the model; frees the net. */
static wisp_status feed_net(net *n, wisp_error *error) {
  size_t size;
  uint8_t *bytes = net_write(n, &size);
  wisp_model *model;
  wisp_status status = feed(&model, bytes, size, error);
  if (status == WISP_OK) status = open_and_detect(model, error);
  wisp_model_close(&model);
  net_free(n);
  free(n);
  free(bytes);
  return status;
}

/* A wide tensor is upsampled until it has 2^40 bytes: 256 times 2^32, where sizes of 32 bits begin anew. */
static void test_too_large(void) {
  net *n = check_allocate(sizeof *n);
  *n = (net){
      .height = 32, .width = 32, .stride = 32, .block = 1, .tensors = 6, .heads = 1, .classes = 1};
  n->tensor[0] = (net_tensor){3, 0, 1.0f / 255, 0, 0};
  for (int t = 1; t <= 4; t++) n->tensor[t] = (net_tensor){16384, 0, 1, 0, 0};
  n->tensor[5] = (net_tensor){6, 0, 1, 0, 0};
  n->head[0] = (net_head){WISP_HEAD_YOLOV5, 5, 8, 1, 0, {{8, 8}}};
  add_layer(n, WISP_OP_CONV, 0, 1, 1);
  add_layer(n, WISP_OP_UPSAMPLE, 1, 2, 8);
  add_layer(n, WISP_OP_UPSAMPLE, 2, 3, 8);
  add_layer(n, WISP_OP_UPSAMPLE, 3, 4, 4);
  add_layer(n, WISP_OP_CONV, 1, 5, 1);
  wisp_error error;
  CHECK_CASE("a tensor of 2^40 bytes");
  CHECK_EQ(feed_net(n, &error), WISP_ERR_LIMIT);
}

/* Layers read 4,096 tensors at most, all together: planning takes time by the square of them. */
static void test_many_reads(void) {
  net *n = check_allocate(sizeof *n);
  *n = (net){.height = 32, .width = 32, .stride = 32, .block = 1, .heads = 1, .classes = 1};
  n->tensors = 18;
  for (int t = 0; t < n->tensors; t++) n->tensor[t] = (net_tensor){3, 0, 1.0f / 255, 0, 0};
  for (int t = 1; t < n->tensors; t++) {
    add_layer(n, WISP_OP_UPSAMPLE, 0, t, 1);
    n->layer[t - 1].input_count = NET_INPUTS;
  }
  n->head[0] = (net_head){WISP_HEAD_YOLOV5, 17, 8, 1, 0, {{8, 8}}};
  wisp_error error;
  CHECK_CASE("17 layers of 255 inputs");
  CHECK_EQ(feed_net(n, &error), WISP_ERR_LIMIT);
  CHECK(strstr(error.message, "read 4335 tensors") != NULL);
}

/* ---- the fuzzer's first files ---- */

static int write_corpus(const char *folder) {
  for (int i = 0; i < 8; i++) {
    net n;
    char path[512];
    size_t size = 0;
    uint8_t *bytes = NULL;
    random_start(100 + (unsigned long long)i);
    do {
      free(bytes);
      draw_net(&n);
      bytes = net_write(&n, &size);
      net_free(&n);
    } while (size > 4000);
    snprintf(path, sizeof path, "%s/random-%d.wisp", folder, i);
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(bytes, 1, size, out) != size || fclose(out) != 0) return 1;
    free(bytes);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 2 && strcmp(argv[1], "--corpus") == 0) return write_corpus(argv[2]);
  check_begin(argc, argv);
  const file f = small_file();
  printf("%zu bytes\n", f.size);
  test_pieces(&f, 1);
  for (int i = 0; i < 20; i++) test_pieces(&f, i * i + 2);
  for (size_t size = 0; size < f.size; size += size < net_header_end(f.bytes) ? 1 : 256)
    test_truncated(&f, size);
  test_truncated(&f, f.size - 1);
  test_bytes(&f);
  for (int which = 0; test_wreck(which); which++) continue;
  test_too_large();
  test_many_reads();
  test_preamble(&f, 0, 0x50534958, WISP_ERR_FORMAT, "58 49 53 50");
  test_preamble(&f, 4, 1, WISP_ERR_VERSION, "wisp press MODEL.onnx --calib PICTURES");
  test_preamble(&f, 8, (4 << 20) + 1, WISP_ERR_LIMIT, "4194305");
  test_preamble(&f, 16, (uint32_t)f.size + 1, WISP_ERR_FORMAT, "bytes");
  test_preamble(&f, 16, (1u << 30) + 1, WISP_ERR_LIMIT, "1073741825");
  free(f.bytes);
  return check_end();
}
