// Sums, and largest and smallest values, over the rows of each column (columns.cuh).
//
// A piece of a high matrix goes to its place in `sums` (columns, pieces): that is again a stack of
// matrices, with one column each, for the next launch. Sums are added up in double.
#include "columns.cuh"

template <typename T>
__device__ double sum_of_strip(const T* x, const Columns& a, const Strip& strip) {
  double total = 0;
#pragma unroll 4
  for (long long row = strip.row; row < strip.end; row += strip.step) total += x[strip.begin + row * a.inner];
  return join_columns(total, Add());
}

template <typename T>
__global__ void sum_pieces(const T* x, double* sums, Columns a) {
  Strip strip = strip_of_thread(a);
  double total = sum_of_strip(x, a, strip);
  if (strip.inside && threadIdx.y == 0) sums[strip.column * gridDim.y + blockIdx.y] = total;
}

template <typename T>
__global__ void sum_columns(const T* x, T* sums, Columns a) {
  Strip strip = strip_of_thread(a);
  double total = sum_of_strip(x, a, strip);
  if (strip.inside && threadIdx.y == 0) sums[strip.column] = (T)total;
}

template <typename T>
__global__ void round_sums(const double* sums, T* out, Columns a) {
  Strip strip = strip_of_thread(a);
  double total = sum_of_strip(sums, a, strip);
  if (strip.inside && threadIdx.y == 0) out[strip.column] = (T)total;
}

// A NaN is neither larger nor smaller; it is kept because it is not itself.
struct Larger {
  template <typename T>
  __device__ T operator()(T a, T b) const {
    return a != a || a > b ? a : b;
  }
};

struct Smaller {
  template <typename T>
  __device__ T operator()(T a, T b) const {
    return a != a || a < b ? a : b;
  }
};

template <typename T, typename Choose>
__device__ void choose(const T* x, T* out, const Columns& a, Choose better) {
  Strip strip = strip_of_thread(a);
  T best = 0;
  if (strip.row < strip.end) best = x[strip.begin + strip.row * a.inner];
#pragma unroll 4
  for (long long row = strip.row; row < strip.end; row += strip.step) {
    best = better(best, x[strip.begin + row * a.inner]);
  }
  // A thread without a row of its own repeats the first row of the piece, which changes nothing.
  if (strip.inside && strip.row >= strip.end) best = x[strip.begin + blockIdx.y * a.rows * a.inner];
  best = join_columns(best, better);
  if (strip.inside && threadIdx.y == 0) out[strip.column * gridDim.y + blockIdx.y] = best;
}

template <typename T>
__global__ void largest(const T* x, T* out, Columns a) {
  choose(x, out, a, Larger());
}

template <typename T>
__global__ void smallest(const T* x, T* out, Columns a) {
  choose(x, out, a, Smaller());
}
