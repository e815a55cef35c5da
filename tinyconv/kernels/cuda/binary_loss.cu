// The loss of yes-or-no predictions that are given as logits, one element per thread.
#include "common.cuh"

// (1 - t) x + log(1 + exp(-x)); the logarithm is max(-x, 0) + log(1 + exp(-|x|)), which cannot overflow.
template <typename T>
__global__ void logits_cross_entropy(const T* x, const T* target, T* out, long long count) {
  map2(x, target, out, count, [](T v, T t) {
    T negative = v > T(0) ? T(0) : -v;  // NaN stays NaN
    return (T(1) - t) * v + (negative + log1p(exp(-fabs(v))));
  });
}

// grad (sigmoid(x) - t)
template <typename T>
__global__ void logits_cross_entropy_backward(
    const T* grad, const T* x, const T* target, T* out, long long count) {
  for_each(count, [=](long long i) { out[i] = grad[i] * (T(1) / (T(1) + exp(-x[i])) - target[i]); });
}
