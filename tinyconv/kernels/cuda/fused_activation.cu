// Activation functions of several steps, and their derivatives, in one pass over memory.
//
// A function of NumPy's steps reads and writes the whole array in each step. Here a thread loads x[i] once
// and keeps what is between in registers: x and out (backward: grad, x and out) are all that moves.
//
//   forward:   out[i] = formula(x[i], parameter)
//   backward:  out[i] = grad[i] * derivative(x[i], parameter)

#include "common.cuh"

#define TANH_SLOPE 0.79788456080286535588  // sqrt(2 / pi); gelu_tanh is tanh(slope * (x + cube * x**3))
#define CUBE 0.044715
#define NORMAL 0.39894228040143267794  // 1 / sqrt(2 * pi)

template <typename T>
__device__ T logistic(T v) {
  return T(1) / (T(1) + exp(-v));
}

// log(1 + exp(v)), without overflow.
template <typename T>
__device__ T log_of_one_and_exp(T v) {
  return (v < T(0) ? T(0) : v) + log1p(exp(-fabs(v)));
}

// The larger and the smaller number as NumPy has them: NaN if v is. `bound` is none.
template <typename T>
__device__ T at_least(T v, T bound) {
  return v < bound ? bound : v;
}

template <typename T>
__device__ T at_most(T v, T bound) {
  return v > bound ? bound : v;
}

template <typename T>
__global__ void silu(const T* x, T* out, long long count) {
  map1(x, out, count, [](T v) { return v * logistic(v); });
}

template <typename T>
__global__ void silu_backward(const T* grad, const T* x, T* out, long long count) {
  map2(grad, x, out, count, [](T g, T v) {
    T s = logistic(v);
    return g * (s * (T(1) + v * (T(1) - s)));
  });
}

template <typename T>
__global__ void gelu(const T* x, T* out, long long count) {
  map1(x, out, count, [](T v) { return v * normcdf(v); });
}

template <typename T>
__global__ void gelu_backward(const T* grad, const T* x, T* out, long long count) {
  map2(grad, x, out, count, [](T g, T v) { return g * (normcdf(v) + v * (exp(v * v * T(-0.5)) * T(NORMAL))); });
}

template <typename T>
__global__ void gelu_tanh(const T* x, T* out, long long count) {
  map1(x, out, count, [](T v) { return T(0.5) * v * (T(1) + tanh(T(TANH_SLOPE) * (v + T(CUBE) * v * v * v))); });
}

template <typename T>
__global__ void gelu_tanh_backward(const T* grad, const T* x, T* out, long long count) {
  map2(grad, x, out, count, [](T g, T v) {
    T t = tanh(T(TANH_SLOPE) * (v + T(CUBE) * v * v * v));
    T slope = T(TANH_SLOPE) * (T(1) + T(3 * CUBE) * v * v);
    return g * (T(0.5) * (T(1) + t + v * (T(1) - t * t) * slope));
  });
}

template <typename T>
__global__ void mish(const T* x, T* out, long long count) {
  map1(x, out, count, [](T v) { return v * tanh(log_of_one_and_exp(v)); });
}

template <typename T>
__global__ void mish_backward(const T* grad, const T* x, T* out, long long count) {
  map2(grad, x, out, count, [](T g, T v) {
    T t = tanh(log_of_one_and_exp(v));
    return g * (t + v * logistic(v) * (T(1) - t * t));
  });
}

template <typename T>
__global__ void logsigmoid(const T* x, T* out, long long count) {
  map1(x, out, count, [](T v) { return -log_of_one_and_exp(-v); });
}

template <typename T>
__global__ void logsigmoid_backward(const T* grad, const T* x, T* out, long long count) {
  map2(grad, x, out, count, [](T g, T v) { return g * logistic(-v); });
}

template <typename T>
__global__ void hardsigmoid(const T* x, T* out, long long count) {
  map1(x, out, count, [](T v) { return at_most(at_least(v + T(3), T(0)), T(6)) / T(6); });
}

template <typename T>
__global__ void hardsigmoid_backward(const T* grad, const T* x, T* out, long long count) {
  map2(grad, x, out, count, [](T g, T v) { return v <= T(-3) || v >= T(3) ? T(0) : g / T(6); });
}

template <typename T>
__global__ void hardswish(const T* x, T* out, long long count) {
  map1(x, out, count, [](T v) { return v * at_most(at_least(v + T(3), T(0)), T(6)) / T(6); });
}

template <typename T>
__global__ void hardswish_backward(const T* grad, const T* x, T* out, long long count) {
  map2(grad, x, out, count, [](T g, T v) {
    return g * (v <= T(-3) ? T(0) : v >= T(3) ? T(1) : v / T(3) + T(0.5));
  });
}

template <typename T>
__global__ void hardshrink(const T* x, T* out, long long count, T width) {
  map1(x, out, count, [width](T v) { return v >= -width && v <= width ? T(0) : v; });
}

template <typename T>
__global__ void softshrink(const T* x, T* out, long long count, T width) {
  map1(x, out, count, [width](T v) { return v - at_most(at_least(v, -width), width); });
}

template <typename T>
__global__ void shrink_backward(const T* grad, const T* x, T* out, long long count, T width) {
  map2(grad, x, out, count, [width](T g, T v) { return v >= -width && v <= width ? T(0) : g; });
}

template <typename T>
__global__ void softsign(const T* x, T* out, long long count) {
  map1(x, out, count, [](T v) { return v / (T(1) + fabs(v)); });
}

template <typename T>
__global__ void softsign_backward(const T* grad, const T* x, T* out, long long count) {
  map2(grad, x, out, count, [](T g, T v) {
    T size = T(1) + fabs(v);
    return g / (size * size);
  });
}

template <typename T>
__global__ void tanhshrink(const T* x, T* out, long long count) {
  map1(x, out, count, [](T v) { return v - tanh(v); });
}

template <typename T>
__global__ void tanhshrink_backward(const T* grad, const T* x, T* out, long long count) {
  map2(grad, x, out, count, [](T g, T v) {
    T t = tanh(v);
    return g * (t * t);
  });
}
