/* wasi.c - the command: wisp.wasm detect MODEL IMAGE, boxes as JSON on stdout.
 * SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200112L /* clock_gettime */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/wisp.h"
#include "picture.h"

enum { DONE = 0, FAILED = 1, MISUSED = 2 };
enum {
  MOST = 1000000 /* of what is counted in a command */,
  WHITE = 0xffffff,
  MAX_PIXELS = 100000000
};

static const char usage[] =
    "Usage: wisp.wasm detect MODEL IMAGE [options]\n"
    "\n"
    "Detects objects in IMAGE (JPEG, PNG, GIF, BMP or binary PNM) with MODEL (a .wisp file) and\n"
    "prints JSON.\n"
    "\n"
    "  --confidence F   boxes score above F, 0 to 1 (0.25)\n"
    "  --iou F          boxes of a class overlap by at most F, 0 to 1 (0.45)\n"
    "  --max N          at most N boxes (300)\n"
    "  --size HxW       of the network's input, e.g. 384x640 or 320 (the model's own)\n"
    "  --no-rect        compute the whole input, not only what the picture needs of it\n"
    "  --masks          with each box its pixels, as COCO's uncompressed run lengths\n"
    "  --tiles T        look at tiles of IMAGE too: auto where it is much larger than the\n"
    "                   network's input, or columns x rows, e.g. 3x2\n"
    "  --background C   what shows through where IMAGE is transparent, #rrggbb (#ffffff)\n"
    "  --max-pixels N   larger pictures are refused before they are decoded (100000000)\n"
    "  --repeat N       detect N times and report the fastest (1)\n"
    "  --help\n"
    "\n"
    "Example: wasmtime --dir . wisp.wasm detect yolov5n.wisp bus.jpg --confidence 0.4\n"
    "Exit status: 0 done, 1 a file could not be used, 2 wrong arguments.\n";

typedef struct command {
  const char *model, *image;
  wisp_settings settings;
  wisp_options options;
  uint32_t background; /* 0xRRGGBB */
  int max_pixels, repeat;
} command;

typedef struct bytes {
  uint8_t *data;
  size_t size;
} bytes;

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int fail(int status, const char *subject, const char *why) {
  fprintf(stderr, "wisp: %s: %s\n", subject, why);
  return status;
}

/* ---- arguments ---- */

/* Each returns 0 if the text is not what it wants. */
static int parse_float(const char *text, float *value) {
  char *end;
  *value = strtof(text, &end);
  return end != text && *end == 0;
}

static int parse_int(const char *text, int most, int *value) {
  char *end;
  errno = 0;
  const long number = strtol(text, &end, 10);
  *value = (int)number;
  return end != text && *end == 0 && errno == 0 && number >= 1 && number <= most;
}

static int parse_colour(const char *text, uint32_t *colour) {
  const size_t digits = strspn(text + (*text == '#'), "0123456789abcdefABCDEF");
  if (*text != '#' || digits != 6 || text[7] != 0) return 0;
  *colour = (uint32_t)strtoul(text + 1, NULL, 16);
  return 1;
}

static int parse_size(const char *text, wisp_settings *settings) {
  char rest;
  if (parse_int(text, MOST, &settings->height)) {
    settings->width = settings->height;
    return 1;
  }
  return sscanf(text, "%5dx%5d%c", &settings->height, &settings->width, &rest) == 2;
}

static int parse_tiles(const char *text, wisp_options *options) {
  char rest;
  const int is_auto = strcmp(text, "auto") == 0;
  options->tiles = is_auto ? WISP_TILES_AUTO : WISP_TILES_GRID;
  return is_auto ||
         sscanf(text, "%3dx%3d%c", &options->tile_columns, &options->tile_rows, &rest) == 2;
}

static int parse_option(command *c, const char *name, const char *value) {
  if (strcmp(name, "--confidence") == 0) return parse_float(value, &c->options.confidence);
  if (strcmp(name, "--iou") == 0) return parse_float(value, &c->options.iou);
  if (strcmp(name, "--max") == 0) return parse_int(value, MOST, &c->options.max_detections);
  if (strcmp(name, "--size") == 0) return parse_size(value, &c->settings);
  if (strcmp(name, "--tiles") == 0) return parse_tiles(value, &c->options);
  if (strcmp(name, "--repeat") == 0) return parse_int(value, MOST, &c->repeat);
  if (strcmp(name, "--background") == 0) return parse_colour(value, &c->background);
  if (strcmp(name, "--max-pixels") == 0) return parse_int(value, INT_MAX, &c->max_pixels);
  return 0;
}

static int parse(command *c, int n, char **words) {
  if (n < 2 || strcmp(words[1], "detect") != 0)
    return fail(MISUSED, n < 2 ? "no verb" : words[1], "try: detect, --help");
  for (int i = 2; i < n; i++) {
    const int option = strncmp(words[i], "--", 2) == 0;
    const int is_masks = strcmp(words[i], "--masks") == 0;
    if (is_masks) c->options.masks = WISP_MASKS_BY_COLUMN;
    if (is_masks) continue;
    if (strcmp(words[i], "--no-rect") == 0) {
      c->options.rect = 0;
      continue;
    }
    if (option && i + 1 == n) return fail(MISUSED, words[i], "needs a value; see --help");
    if (option && !parse_option(c, words[i], words[i + 1])) {
      fprintf(stderr, "wisp: %s %s: no such option, or not with this value; see --help\n", words[i],
              words[i + 1]);
      return MISUSED;
    }
    if (option) i++;
    else if (!c->model) c->model = words[i];
    else if (!c->image) c->image = words[i];
    else return fail(MISUSED, words[i], "one MODEL and one IMAGE are taken; see --help");
  }
  return c->image ? DONE : fail(MISUSED, "detect", "needs a MODEL and an IMAGE; see --help");
}

/* ---- files ---- */

static int read_all(FILE *file, bytes *out) {
  size_t cap = 1 << 16;
  out->size = 0;
  out->data = malloc(cap);
  while (out->data) {
    out->size += fread(out->data + out->size, 1, cap - out->size, file);
    if (out->size < cap) return !ferror(file);
    cap *= 2;
    uint8_t *larger = realloc(out->data, cap);
    if (!larger) free(out->data);
    out->data = larger;
  }
  errno = ENOMEM;
  return 0;
}

static int read_file(const char *path, bytes *out) {
  *out = (bytes){NULL, 0};
  FILE *file = fopen(path, "rb");
  if (!file) return fail(FAILED, path, strerror(errno));
  const int whole = read_all(file, out);
  const int status = whole ? DONE : fail(FAILED, path, strerror(errno));
  fclose(file);
  return status;
}

static int load_model(const char *path, wisp_model **model) {
  bytes file;
  wisp_error error = {WISP_OK, ""};
  int status = read_file(path, &file);
  if (status == DONE && wisp_model_open(model) != WISP_OK) status = fail(FAILED, path, "no memory");
  if (status == DONE && wisp_model_feed(*model, file.data, file.size, &error) != WISP_OK)
    status = fail(FAILED, path, error.message);
  free(file.data);
  return status;
}

/* What a file is that pixels.c doesn't know. */
static const char *stranger(const bytes *file) {
  static const struct {
    size_t at;
    const char *begin, *kind;
  } strangers[] = {{8, "WEBP", "WebP"},    {4, "ftypavi", "AVIF"}, {4, "ftyphe", "HEIC"},
                   {4, "ftypmif", "HEIC"}, {0, "II*", "TIFF"},     {0, "MM\0*", "TIFF"},
                   {0, "<svg", "SVG"}};
  for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
    const size_t length = strlen(strangers[i].begin);
    if (file->size > strangers[i].at + length &&
        memcmp(file->data + strangers[i].at, strangers[i].begin, length) == 0)
      return strangers[i].kind;
  }
  return NULL;
}

static int refuse(const command *c, pixels_status status, const pixels *image, const char *kind) {
  char why[160];
  const size_t room = sizeof why;
  switch (status) {
    case PIXELS_TOO_LARGE:
      snprintf(why, room,
               "its %d x %d pixels are too many: --max-pixels is %d, the longest side %d",
               image->width, image->height, c->max_pixels, WISP_MAX_FRAME_SIDE);
      break;
    case PIXELS_MEMORY: snprintf(why, room, "there is no memory to decode it"); break;
    case PIXELS_LACKING:
      snprintf(why, room, "it breaks off: %.0f %% of its rows are missing; copy or fetch it again",
               image->lacking < 0.01 ? 1.0 : image->lacking * 100);
      break;
    case PIXELS_DAMAGED:
      snprintf(why, room, "it is damaged or of a kind that is not supported: %s", image->why);
      break;
    default:
      if (kind)
        snprintf(why, room, "it is %s, which this command can't decode; convert it to PNG or JPEG",
                 kind);
      else snprintf(why, room, "it is no JPEG, PNG, GIF, BMP or binary PNM file");
  }
  return fail(FAILED, c->image, why);
}

static int load_image(const command *c, pixels *image) {
  bytes file;
  int status = read_file(c->image, &file);
  if (status == DONE) {
    const pixels_status read =
        picture_open(image, file.data, file.size, c->max_pixels, c->background);
    if (read != PIXELS_OK) status = refuse(c, read, image, stranger(&file));
  }
  free(file.data);
  return status;
}

/* ---- output ---- */

static void print_text(const char *text) {
  putchar('"');
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c == '"' || *c == '\\') printf("\\%c", *c);
    else if (*c < 0x20) printf("\\u%04x", *c);
    else putchar(*c);
  }
  putchar('"');
}

/* COCO's run lengths of the whole picture, column after column. */
static void print_mask(const pixels *image, const wisp_mask *mask) {
  printf(",\"mask\":{\"size\":[%d,%d],\"counts\":[", image->height, image->width);
  for (int i = 0; i < mask->run_count; i++) printf(i ? ",%u" : "%u", (unsigned)mask->runs[i]);
  printf("]}");
}

/* With the fewest digits that bring the float back; nine always do. */
static void print_float(const char *name, float value) {
  char text[32];
  for (int digits = 6; digits <= 9; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, (double)value);
    if (strtof(text, NULL) == value) break;
  }
  printf("\"%s\":%s,", name, text);
}

static void print_box(const wisp_model *model, const pixels *image, const wisp_box *b,
                      const wisp_mask *mask) {
  putchar('{');
  print_float("x", b->x1);
  print_float("y", b->y1);
  print_float("width", b->x2 - b->x1);
  print_float("height", b->y2 - b->y1);
  print_float("score", b->score);
  printf("\"label\":%d,\"name\":", (int)b->label);
  print_text(wisp_model_class(model, b->label));
  if (mask) print_mask(image, mask);
  putchar('}');
}

static void print_result(const command *c, const wisp_model *model, const pixels *image,
                         const wisp_result *result, double pixels_ms) {
  printf("{\"file\":");
  print_text(c->image);
  printf(",\"width\":%d,\"height\":%d,\"boxes\":[", image->width, image->height);
  for (int i = 0; i < result->count; i++) {
    if (i > 0) putchar(',');
    print_box(model, image, &result->boxes[i], result->masks ? &result->masks[i] : NULL);
  }
  printf("],\"times\":{\"pixels\":%.3f,\"prep\":%.3f,\"run\":%.3f,\"post\":%.3f,\"total\":%.3f}}\n",
         pixels_ms, result->prep_ms, result->run_ms, result->post_ms,
         pixels_ms + result->prep_ms + result->run_ms + result->post_ms);
}

/* ---- the command ---- */

static double total_ms(const wisp_result *r) { return r->prep_ms + r->run_ms + r->post_ms; }

/* The boxes are the same each time; the times are those of the fastest. */
static wisp_status detect_repeatedly(wisp_detector *detector, const command *c, const pixels *image,
                                     wisp_result *result, wisp_error *error) {
  const wisp_frame frame = {image->rgba, image->width, image->height, (size_t)image->width * 4};
  wisp_result fastest = {0};
  for (int i = 0; i < c->repeat; i++) {
    const wisp_status status = wisp_detect(detector, &frame, 1, &c->options, result, error);
    if (status != WISP_OK) return status;
    if (i == 0 || total_ms(result) < total_ms(&fastest)) fastest = *result;
  }
  fastest.boxes = result->boxes;
  fastest.masks = result->masks;
  *result = fastest;
  return WISP_OK;
}

static int detect(const command *c, const wisp_model *model, const pixels *image,
                  double pixels_ms) {
  wisp_detector *detector = NULL;
  wisp_error error = {WISP_OK, ""};
  wisp_result result;
  int status = DONE;
  if (wisp_open(&detector, model, &c->settings, &error) != WISP_OK)
    status = fail(FAILED, c->model, error.message);
  else if (detect_repeatedly(detector, c, image, &result, &error) != WISP_OK)
    status = fail(FAILED, c->image, error.message);
  else print_result(c, model, image, &result, pixels_ms);
  wisp_close(&detector);
  return status;
}

int main(int n, char **words) {
  if (n == 2 && strcmp(words[1], "--help") == 0) return fputs(usage, stdout) < 0 ? FAILED : DONE;
  command c = {.settings = wisp_default_settings(),
               .options = wisp_default_options(),
               .background = WHITE,
               .max_pixels = MAX_PIXELS,
               .repeat = 1};
  c.settings.clock = now_ms;
  wisp_model *model = NULL;
  pixels image = {.rgba = NULL};
  int status = parse(&c, n, words);
  if (status == DONE) status = load_model(c.model, &model);
  const double started = now_ms();
  if (status == DONE) status = load_image(&c, &image);
  if (status == DONE) status = detect(&c, model, &image, now_ms() - started);
  picture_close(&image);
  wisp_model_close(&model);
  if (fflush(stdout) != 0 && status == DONE) status = fail(FAILED, "stdout", strerror(errno));
  return status;
}
