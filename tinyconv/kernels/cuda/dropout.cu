// Dropout, alone and joined with an activation function.
//
// A thread takes four neighbouring elements at a time, because one call of Philox (common.cuh) gives four random
// words, and nobody has to remember anything: the mask is a function of seed, call and position, so the backward
// asks for the same mask again and none is stored.
//
//   thread   0            1            2          ...
//   element  0  1  2  3   4  5  6  7   8  9 10 11
//   word     philox(0)    philox(1)    philox(2)
//
// Element i is kept when its word is at least `threshold`, and is then multiplied by `scale`.

#include "common.cuh"
#include "formulas.cuh"

// `key`, where it is not null, has seed and call in memory: a graph, whose arguments stay as they are, finds new ones.
struct Mask {
  unsigned long long seed, call, threshold;
  const unsigned long long* key;
};

// use(i, factor) for each element: factor is `scale` for what is kept, else 0. The product, and no choice, is
// what the reference has: NaN times 0 is NaN.
template <typename T, typename Use>
__device__ void for_each_factor(long long count, Mask mask, T scale, Use use) {
  unsigned long long seed = mask.key ? mask.key[0] : mask.seed, call = mask.key ? mask.key[1] : mask.call;
  for_each((count + 3) / 4, [=](long long quad) {
    Words words = philox(quad, call, seed);
    for (int i = 0; i < 4 && quad * 4 + i < count; i++) {
      use(quad * 4 + i, words.word[i] >= mask.threshold ? scale : T(0));
    }
  });
}

template <typename T>
__global__ void dropout(const T* x, T* out, long long count, Mask mask, T scale) {
  for_each_factor(count, mask, scale, [=](long long i, T factor) { out[i] = x[i] * factor; });
}

template <typename T>
__global__ void activation_dropout(const T* x, T* y, T* out, long long count, Mask mask, T scale, int activation,
                                   T number) {
  for_each_factor(count, mask, scale, [=](long long i, T factor) {
    T value = activate(activation, x[i], number);
    y[i] = value;
    out[i] = value * factor;
  });
}

template <typename T>
__global__ void dropout_activation_backward(const T* grad, const T* at, T* out, long long count, Mask mask, T scale,
                                            int activation, T number) {
  for_each_factor(count, mask, scale, [=](long long i, T factor) {
    out[i] = activate_backward(activation, grad[i] * factor, at[i], number);
  });
}
