// A tile like those of tile.cuh, whose products are made by the tensor cores.
//
// The numbers are rounded when they are stored in shared memory; the sums stay in float32. Each of the
// block's warps has a part of WARP_ROWS x WARP_COLUMNS sums, made of pieces of 16 x 8, one instruction each
// (common.cuh):
//
//   +-----------------+-----------------+      128 x 128, eight warps of 64 x 32:
//   | warp 0   warp 1 | warp 2   warp 3 |      4 x 4 pieces each, from (4 + 4) loaded fragments
//   | warp 4   warp 5 | warp 6   warp 7 |
//   +-----------------+-----------------+
#pragma once

#include "common.cuh"
#include "windows.cuh"

// The formats of the factors. A word of 32 bits holds one number in TF32 and two in BF16, neighbours
// along the sum, so that the fragments of both lie in the lanes alike.
struct Tf32 {
  static constexpr int TOGETHER = 1;

  __device__ static unsigned pack(const float* numbers) { return to_tf32(numbers[0]); }

  __device__ static void multiply(float (&sums)[4], const unsigned (&left)[4], const unsigned (&right)[2]) {
    mma_m16n8k8_tf32(sums, left, right);
  }
};

struct Bf16 {
  static constexpr int TOGETHER = 2;

  __device__ static unsigned pack(const float* numbers) { return to_bf16_pair(numbers[0], numbers[1]); }

  __device__ static void multiply(float (&sums)[4], const unsigned (&left)[4], const unsigned (&right)[2]) {
    mma_m16n8k16_bf16(sums, left, right);
  }
};

// WORDS words of LINES rows or columns. Where four terms of a line arrive at once (RUNS_OF_TERMS) the
// words of a line are side by side, else the lines of a word. The steps of 4 and of 8 modulo the 32
// banks let the 32 lanes of a warp load a fragment from 32 different ones.
template <typename Format, int WORDS, int LINES, bool RUNS_OF_TERMS>
struct alignas(16) WordStrip {
  static constexpr int STEP = RUNS_OF_TERMS ? WORDS + 4 : LINES + 8;
  unsigned words[(RUNS_OF_TERMS ? LINES : WORDS) * STEP];

  __device__ unsigned at(int line, int word) const {
    return words[RUNS_OF_TERMS ? line * STEP + word : word * STEP + line];
  }

  // Four terms of one line.
  __device__ void store_terms(int line, int term, const Quad<float>& numbers) {
#pragma unroll
    for (int i = 0; i < 4; i += Format::TOGETHER) {
      words[line * STEP + (term + i) / Format::TOGETHER] = Format::pack(numbers.value + i);
    }
  }

  // The terms of one word, of four lines.
  __device__ void store_lines(int line, int term, const Quad<float>* numbers) {
    Quad<unsigned> packed;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      float terms[Format::TOGETHER];
#pragma unroll
      for (int k = 0; k < Format::TOGETHER; ++k) terms[k] = numbers[k].value[i];
      packed.value[i] = Format::pack(terms);
    }
    *(Quad<unsigned>*)&words[term / Format::TOGETHER * STEP + line] = packed;
  }
};

template <typename Format, int ROWS_, int COLUMNS_, int WARP_ROWS, int WARP_COLUMNS, bool RUNS_OF_TERMS>
struct TensorTile {
  using Number = float;
  static constexpr int WORDS = 16, TOGETHER = Format::TOGETHER, DEPTH = WORDS * TOGETHER;
  static constexpr int ROWS = ROWS_, COLUMNS = COLUMNS_, HIGH = WARP_ROWS / 8, WIDE = WARP_COLUMNS / 4;
  static constexpr int RUN = 2, BLOCKS = 1;
  static constexpr int ACROSS = COLUMNS / WARP_COLUMNS, THREADS = ROWS / WARP_ROWS * ACROSS * 32;

  struct Strips {
    WordStrip<Format, WORDS, ROWS, RUNS_OF_TERMS> rows[2];
    WordStrip<Format, WORDS, COLUMNS, RUNS_OF_TERMS> columns[2];
  };

  float sums[HIGH / 2][WIDE / 2][4] = {};

  __device__ float sum(int i, int j) const { return sums[i / 2][j / 2][i % 2 * 2 + j % 2]; }

  // The row and the column of sum (i, j), as the instruction leaves them in the lanes.
  __device__ static int row(int i) {
    return threadIdx.x / 32 / ACROSS * WARP_ROWS + i * 8 + threadIdx.x % 32 / 4;
  }

  __device__ static int column(int j) {
    return threadIdx.x / 32 % ACROSS * WARP_COLUMNS + j / 2 * 8 + threadIdx.x % 4 * 2 + j % 2;
  }

  __device__ void multiply(const Strips& strips, int half) {
    int first_row = row(0), first_column = column(0) - threadIdx.x % 4 * 2 + threadIdx.x % 32 / 4;
    int first_word = threadIdx.x % 4;
#pragma unroll
    for (int word = first_word; word < first_word + WORDS; word += 8) {
      unsigned left[HIGH / 2][4], right[WIDE / 2][2];
#pragma unroll
      for (int i = 0; i < HIGH * 2; ++i) {
        left[i / 4][i % 4] = strips.rows[half].at(first_row + i / 4 * 16 + i % 2 * 8, word + i % 4 / 2 * 4);
      }
#pragma unroll
      for (int j = 0; j < WIDE; ++j) {
        right[j / 2][j % 2] = strips.columns[half].at(first_column + j / 2 * 8, word + j % 2 * 4);
      }
#pragma unroll
      for (int i = 0; i < HIGH / 2; ++i) {
#pragma unroll
        for (int j = 0; j < WIDE / 2; ++j) Format::multiply(sums[i][j], left[i], right[j]);
      }
    }
  }
};
