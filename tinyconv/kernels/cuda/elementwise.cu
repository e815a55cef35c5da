// Numbers with fewer significant bits, one element per thread: the factors of products whose kernel does not
// round what it loads.
#include "common.cuh"
#include "epilogue.cuh"

template <typename T>
__global__ void round_factors(const T* x, T* out, long long count, int format) {
  map1(x, out, count, [=](T v) { return rounded(format, v); });
}
