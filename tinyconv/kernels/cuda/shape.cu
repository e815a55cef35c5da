// Joining arrays: each lies in the result as a stripe.
//
//   x          y
//   a0 a1      a0 a1 b0 b1 b2        a row is what lies behind one position of the dimensions
//   a2 a3      a2 a3 b3 b4 b5        before the one that is joined along
//
// One thread copies one number. A launch copies one of the arrays.
#include "rows.cuh"

template <typename T>
__global__ void copy_stripe(
    const T* x, T* y, long long rows, long long width, long long pitch, long long begin) {
  along_rows((int)rows, width, [=](int row, long long i) { y[row * pitch + begin + i] = x[row * width + i]; });
}
