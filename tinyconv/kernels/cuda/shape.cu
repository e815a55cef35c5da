// Joining arrays: each lies in the result as a stripe.
//
//   x          y
//   a0 a1      a0 a1 b0 b1 b2        a row is what lies behind one position of the dimensions
//   a2 a3      a2 a3 b3 b4 b5        before the one that is joined along
//
// One thread copies one number, or what fits into 16 bytes. A launch copies one of the arrays.
#include "rows.cuh"

template <int LANES, typename T>
__device__ void copy_rows(Lanes<LANES>, const T* x, T* y, int rows, long long width, long long pitch) {
  along_rows(rows, width / LANES, [=](int row, long long i) {
    store(y + row * pitch + i * LANES, load<LANES>(x + row * width + i * LANES));
  });
}

template <typename T>
__global__ void copy_stripe(
    const T* x, T* y, long long rows, long long width, long long pitch, long long begin, long long lanes) {
  with_lanes<T>(lanes, [=](auto each) { copy_rows(each, x, y + begin, (int)rows, width, pitch); });
}
