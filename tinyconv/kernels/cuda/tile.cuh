// A tile of a matrix product, in the registers of a block's threads.
//
// Two strips lie in shared memory: DEPTH terms of each of the ROWS rows, and of the COLUMNS columns.
// A thread keeps HIGH x WIDE sums; for each term it loads HIGH + WIDE numbers and makes HIGH * WIDE
// products from them:
//
//                   columns              one thread's sums, HIGH = WIDE = 4:
//               +-------------+          8 loads, 16 multiply-adds
//               | . # # # # . |
//         rows  | . # # # # . |          HIGH = WIDE = 8:
//               | . # # # # . |          16 loads, 64 multiply-adds
//               | . # # # # . |
//               +-------------+
//
// Each strip is there twice: the one half is multiplied while the other one is filled.
#pragma once

#include "windows.cuh"

// DEPTH terms of LINES rows or columns, the lines of one term side by side. The four numbers at the end
// of each term keep stores down a line from meeting in one bank of the shared memory.
template <typename T, int DEPTH, int LINES>
struct alignas(16) Strip {
  T at[DEPTH][LINES + 4];

  // Four terms of one line.
  __device__ void store_terms(int line, int term, const Quad<T>& numbers) {
#pragma unroll
    for (int i = 0; i < 4; ++i) at[term + i][line] = numbers.value[i];
  }

  // One term of four lines.
  __device__ void store_lines(int line, int term, const Quad<T>* numbers) {
    *(Quad<T>*)&at[term][line] = *numbers;
  }
};

template <typename T, int ROWS_, int COLUMNS_, int DEPTH_, int HIGH_, int WIDE_>
struct Tile {
  using Number = T;
  static constexpr int ROWS = ROWS_, COLUMNS = COLUMNS_, DEPTH = DEPTH_, HIGH = HIGH_, WIDE = WIDE_;
  static constexpr int ACROSS = COLUMNS / WIDE, DOWN = ROWS / HIGH, THREADS = ACROSS * DOWN;
  static constexpr int TOGETHER = 1;  // terms that are stored at once
  static constexpr int RUN = 4;       // sums of a thread that are neighbours in a row
  static constexpr int BLOCKS = 2;    // that a multiprocessor should have registers for

  struct Strips {
    Strip<T, DEPTH, ROWS> rows[2];
    Strip<T, DEPTH, COLUMNS> columns[2];
  };

  T sums[HIGH][WIDE] = {};

  __device__ T sum(int i, int j) const { return sums[i][j]; }

  // The row and the column of sum (i, j). They come in runs of four, for one instruction loads four
  // numbers, and the runs of neighbouring threads are neighbours, in different banks.
  __device__ static int row(int i) { return i / 4 * DOWN * 4 + threadIdx.x / ACROSS * 4 + i % 4; }
  __device__ static int column(int j) { return j / 4 * ACROSS * 4 + threadIdx.x % ACROSS * 4 + j % 4; }

  __device__ void multiply(const Strips& strips, int half) {
#pragma unroll
    for (int term = 0; term < DEPTH; ++term) {
      Quad<T> rows[HIGH / 4], columns[WIDE / 4];
#pragma unroll
      for (int i = 0; i < HIGH; i += 4) rows[i / 4] = *(const Quad<T>*)&strips.rows[half].at[term][row(i)];
#pragma unroll
      for (int j = 0; j < WIDE; j += 4) {
        columns[j / 4] = *(const Quad<T>*)&strips.columns[half].at[term][column(j)];
      }
#pragma unroll
      for (int i = 0; i < HIGH; ++i) {
#pragma unroll
        for (int j = 0; j < WIDE; ++j) {
          sums[i][j] += rows[i / 4].value[i % 4] * columns[j / 4].value[j % 4];
        }
      }
    }
  }
};

// A block's sums over `steps` strips. What is loaded for the next step is on its way, in registers, while
// this step's products are made: nobody waits for global memory until then.
//
//   load      | strips 0 |  strips 1  |  strips 2  | ...
//   multiply             |  strips 0  |  strips 1  | ...       one barrier for each step
template <typename Tile, typename Load>
__device__ inline void sum_products(
    Tile& tile, typename Tile::Strips& strips, Load& load, int steps) {
  if (steps > 0) {
    load.fetch();
    load.store(strips, 0);
  }
  __syncthreads();
  for (int step = 0; step < steps; ++step) {
    bool is_last = step + 1 == steps;
    if (!is_last) load.fetch();
    tile.multiply(strips, step % 2);
    if (!is_last) load.store(strips, (step + 1) % 2);
    __syncthreads();
  }
}
