/* A second implementation of PDQ on luma, written for clarity and apart from the one under test, that made
 * luma.json: cc -O1 -ffp-contract=off reference.c -o reference -lm && ./reference > luma.json */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t state;
static uint32_t lcg(void) { return state = 1664525u * state + 1013904223u; }

static void box(const float *in, float *out, int n, int stride, int win) {
  int half = (win + 2) / 2, li = 0, ri = 0, oi = 0, size = 0;
  float sum = 0.0f;
  for (int i = 0; i < half - 1; i++) { sum += in[ri++ * stride]; size++; }
  for (int i = 0; i < win - half + 1; i++) { sum += in[ri++ * stride]; size++; out[oi++ * stride] = sum / size; }
  for (int i = 0; i < n - win; i++) { sum += in[ri++ * stride]; sum -= in[li++ * stride]; out[oi++ * stride] = sum / size; }
  for (int i = 0; i < half - 1; i++) { sum -= in[li++ * stride]; size--; out[oi++ * stride] = sum / size; }
}

static int compare(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static void print_hash(const float *block) {
  float sorted[256];
  memcpy(sorted, block, sizeof sorted);
  qsort(sorted, 256, sizeof(float), compare);
  uint16_t words[16] = {0};
  for (int k = 0; k < 256; k++)
    if (block[k] > sorted[127]) words[k / 16] |= (uint16_t)(1u << (k % 16));
  for (int k = 15; k >= 0; k--) printf("%04x", words[k]);
}

static int hash(const float *luma, int w, int h, float *block) {
  float *a = malloc(sizeof(float) * w * h), *b = malloc(sizeof(float) * w * h), s[64][64], t[16][64];
  memcpy(a, luma, sizeof(float) * w * h);
  for (int pass = 0; pass < 2; pass++) {
    for (int y = 0; y < h; y++) box(a + y * w, b + y * w, w, 1, (w + 127) / 128);
    for (int x = 0; x < w; x++) box(b + x, a + x, h, w, (h + 127) / 128);
  }
  for (int i = 0; i < 64; i++)
    for (int j = 0; j < 64; j++) s[i][j] = a[(int)((i + 0.5) * h / 64) * w + (int)((j + 0.5) * w / 64)];
  free(a); free(b);
  int sum = 0;
  for (int i = 0; i < 63; i++) for (int j = 0; j < 64; j++) { float d = (s[i][j] - s[i + 1][j]) * 100.0f / 255.0f; sum += abs((int)d); }
  for (int i = 0; i < 64; i++) for (int j = 0; j < 63; j++) { float d = (s[i][j] - s[i][j + 1]) * 100.0f / 255.0f; sum += abs((int)d); }
  float d[16][64], scale = (float)sqrt(2.0 / 64.0);
  for (int i = 0; i < 16; i++) for (int j = 0; j < 64; j++) d[i][j] = (float)(scale * cos(acos(-1.0) / 128 * (i + 1) * (2 * j + 1)));
  for (int i = 0; i < 16; i++) for (int j = 0; j < 64; j++) { t[i][j] = 0; for (int k = 0; k < 64; k++) t[i][j] += d[i][k] * s[k][j]; }
  for (int i = 0; i < 16; i++) for (int j = 0; j < 16; j++) { float v = 0; for (int k = 0; k < 64; k++) v += t[i][k] * d[j][k]; block[i * 16 + j] = v; }
  return sum / 90 > 100 ? 100 : sum / 90;
}

int main(void) {
  static const int sides[][2] = {{5, 7}, {63, 65}, {64, 129}, {127, 128}, {191, 256}, {257, 130}, {383, 512}, {512, 511}, {513, 40}, {700, 129}};
  int first = 1;
  puts("[");
  for (uint32_t seed = 11; seed < 15; seed++)
    for (unsigned k = 0; k < sizeof sides / sizeof *sides; k++) {
      int w = sides[k][0], h = sides[k][1];
      float *luma = malloc(sizeof(float) * w * h), block[256];
      float *draft = calloc(w * h, sizeof(float));
      state = seed * 1000 + k;
      for (int disc = 0; disc < 12; disc++) {
        int cx = (int)((lcg() >> 8) % w), cy = (int)((lcg() >> 8) % h);
        int r = 2 + (int)((lcg() >> 8) % ((w < h ? w : h) / 3 + 1)), amplitude = 20 + (int)((lcg() >> 8) % 100);
        for (int y = 0; y < h; y++) for (int x = 0; x < w; x++)
          if ((x - cx) * (x - cx) + (y - cy) * (y - cy) <= r * r) draft[y * w + x] += amplitude;
      }
      for (int i = 0; i < w * h; i++) {
        int v = 40 + (int)draft[i];
        v = v > 255 ? 255 : v;
        int r = v, g = seed & 1 ? v : (3 * v + i % w) & 255, b = seed & 1 ? v : (v + i / w) & 255;
        luma[i] = 0.299f * r + 0.587f * g + 0.114f * b;
      }
      int quality = hash(luma, w, h, block);
      printf("%s{\"seed\":%u,\"width\":%d,\"height\":%d,\"grey\":%s,\"quality\":%d,\"hash\":\"", first ? "" : ",\n", seed * 1000 + k, w, h, seed & 1 ? "true" : "false", quality);
      print_hash(block);
      printf("\"}");
      first = 0;
      free(luma); free(draft);
    }
  puts("\n]");
  return 0;
}
