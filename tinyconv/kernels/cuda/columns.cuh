// An array as a stack of matrices, (outer, summed, inner), and which thread works where.
//
// Whatever the axes of an array mean, when those that are summed are neighbours in memory it is a stack
// of `outer` matrices with `summed` rows and `inner` columns, and each column has a sum of its own. A
// channels-last batch of images is one matrix: a row per pixel, a column per channel.
//
//              inner: threadIdx.x                 neighbouring threads, neighbouring addresses
//            +----+----+----+----+
//   summed   | t0   t1   t2   t3                  each thread goes down its column, and skips the rows
//     :      | t4   t5   t6   t7                  of the other threads of the column
//  threadIdx.y
//            | t0   t1   t2   t3
//            | ...
//
// Matrices with few numbers share a block (threadIdx.z); a high one is cut into pieces of some rows
// (blockIdx.y), whose sums a second kernel adds. The pieces depend on the array's sizes alone, so that
// sums do not depend on the GPU that made them.
#pragma once

// The same numbers as COLUMNS in _columns.py; a piece has `rows` rows.
struct Columns {
  long long outer, summed, inner, rows;
};

// The part of a column that belongs to one thread. `column` counts the columns of all matrices. The
// numbers x[begin + row * inner] for row, row + step, ... below end are the thread's.
struct Strip {
  long long column, begin, row, end;
  int step;
  bool inside;
};

__device__ inline Strip strip_of_thread(const Columns& a) {
  long long across = (a.inner + blockDim.x - 1) / blockDim.x;
  long long matrix = blockIdx.x / across * blockDim.z + threadIdx.z;
  long long place = blockIdx.x % across * blockDim.x + threadIdx.x;
  bool inside = matrix < a.outer && place < a.inner;
  long long first = blockIdx.y * a.rows, last = min(first + a.rows, a.summed);
  return {matrix * a.inner + place, matrix * a.summed * a.inner + place, first + threadIdx.y,
          inside ? last : 0, (int)blockDim.y, inside};
}

// Joins what the threads of each column have; the first of them, threadIdx.y == 0, gets the result.
// Half of the threads take over from the other half, until one is left: always in the same order.
template <typename Value, typename Join>
__device__ Value join_columns(Value mine, Join join) {
  __shared__ Value all[256];
  int here = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  __syncthreads();
  all[here] = mine;
  for (int half = blockDim.y / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.y < half) all[here] = join(all[here], all[here + half * blockDim.x]);
  }
  return all[here];
}

struct Add {
  template <typename T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};
