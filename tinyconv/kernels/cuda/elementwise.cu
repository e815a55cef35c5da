// One element per thread.
#include "common.cuh"
#include "epilogue.cuh"

// Numbers with fewer significant bits: the factors of products whose kernel does not round what it loads.
template <typename T>
__global__ void round_factors(const T* x, T* out, long long count, int format) {
  map1(x, out, count, [=](T v) { return rounded(format, v); });
}

// NaN in the place of what does not lie between two numbers. Nobody has to look: it shows in the loss.
template <typename T>
__global__ void nan_outside(const T* x, T* out, long long count, T low, T high) {
  map1(x, out, count, [=](T v) { return low <= v && v <= high ? v : T(nan("")); });
}
