// Threads along the rows of an array whose last dimension lies together in memory.
//
//             i: blockIdx.x, threadIdx.x
//   row       t0 t1 t2 t3 ...        neighbouring threads, neighbouring addresses
//   blockIdx.y, threadIdx.y
//
// A grid of any size will do: each thread goes on to the rows and columns that are left.
#pragma once

template <typename Body>
__device__ void along_rows(int rows, long long length, Body body) {
  int row_step = gridDim.y * blockDim.y;
  long long step = (long long)gridDim.x * blockDim.x;
  for (long long row = blockIdx.y * blockDim.y + threadIdx.y; row < rows; row += row_step) {
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < length; i += step) {
      body((int)row, i);
    }
  }
}
