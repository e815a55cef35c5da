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

// Some neighbours in memory, which one instruction loads or stores.
template <typename T, int LANES>
struct alignas(sizeof(T) * LANES) Pack {
  T lane[LANES];
};

template <int LANES, typename T>
__device__ Pack<T, LANES> load(const T* place) {
  return *(const Pack<T, LANES>*)place;
}

template <int LANES, typename T>
__device__ void store(T* place, const Pack<T, LANES>& pack) {
  *(Pack<T, LANES>*)place = pack;
}

template <int LANES>
struct Lanes {};

// Calls work(Lanes<n>()) with n = 1, or what fits into 16 bytes, as a constant: loops over it are unrolled.
template <typename T, typename Work>
__device__ void with_lanes(long long lanes, Work work) {
  if (lanes > 1) {
    work(Lanes<16 / sizeof(T)>());
  } else {
    work(Lanes<1>());
  }
}
