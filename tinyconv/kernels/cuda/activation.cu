// Activation functions and their derivatives: each thread takes one element, then the one a whole
// grid further on, and so on (`for_each` in common.cuh). No thread needs another one.
//
//   forward:   out[i] = formula(x[i], parameters)
//   backward:  out[i] = formula(grad[i], saved[i], parameters)
//
// `saved` is what the derivative is taken from: the function's output y, or its input x.
// The formulas of relu to tanh stand in formulas.cuh, for kernels that apply them on their way. NaN
// compares false with everything: each test is written so that a NaN reaches the output.

#include "common.cuh"
#include "formulas.cuh"

template <typename T>
__global__ void relu(const T* x, T* out, long long count) {
  map1(x, out, count, [](T v) { return activate(RELU, v, T(0)); });
}

template <typename T>
__global__ void relu_backward(const T* grad, const T* y, T* out, long long count) {
  map2(grad, y, out, count, [](T g, T v) { return activate_backward(RELU, g, v, T(0)); });
}

template <typename T>
__global__ void leaky_relu(const T* x, T* out, long long count, T slope) {
  map1(x, out, count, [slope](T v) { return activate(LEAKY_RELU, v, slope); });
}

template <typename T>
__global__ void leaky_relu_backward(const T* grad, const T* x, T* out, long long count, T slope) {
  map2(grad, x, out, count, [slope](T g, T v) { return activate_backward(LEAKY_RELU, g, v, slope); });
}

template <typename T>
__global__ void elu(const T* x, T* out, long long count, T alpha) {
  map1(x, out, count, [alpha](T v) { return activate(ELU, v, alpha); });
}

template <typename T>
__global__ void elu_backward(const T* grad, const T* y, T* out, long long count, T alpha) {
  map2(grad, y, out, count, [alpha](T g, T v) { return activate_backward(ELU, g, v, alpha); });
}

template <typename T>
__global__ void sigmoid(const T* x, T* out, long long count) {
  map1(x, out, count, [](T v) { return activate(SIGMOID, v, T(0)); });
}

template <typename T>
__global__ void sigmoid_backward(const T* grad, const T* y, T* out, long long count) {
  map2(grad, y, out, count, [](T g, T v) { return activate_backward(SIGMOID, g, v, T(0)); });
}

template <typename T>
__global__ void tanh_forward(const T* x, T* out, long long count) {
  map1(x, out, count, [](T v) { return activate(TANH, v, T(0)); });
}

template <typename T>
__global__ void tanh_backward(const T* grad, const T* y, T* out, long long count) {
  map2(grad, y, out, count, [](T g, T v) { return activate_backward(TANH, g, v, T(0)); });
}

// selu and celu: scale * x where x > 0, else scale * alpha * (exp(inner * x) - 1).
template <typename T>
__global__ void scaled_elu(const T* x, T* out, long long count, T alpha, T scale, T inner) {
  map1(x, out, count, [=](T v) { return v > T(0) ? scale * v : scale * alpha * expm1(v * inner); });
}

template <typename T>
__global__ void scaled_elu_backward(const T* grad, const T* x, T* out, long long count, T alpha, T scale,
                                    T inner) {
  map2(grad, x, out, count, [=](T g, T v) {
    return g * (v > T(0) ? scale : scale * alpha * inner * exp(v * inner));
  });
}

template <typename T>
__global__ void hardtanh(const T* x, T* out, long long count, T low, T high) {
  map1(x, out, count, [=](T v) { return v < low ? low : v > high ? high : v; });
}

template <typename T>
__global__ void hardtanh_backward(const T* grad, const T* x, T* out, long long count, T low, T high) {
  map2(grad, x, out, count, [=](T g, T v) { return v <= low || v >= high ? T(0) : g; });
}

// log(1 + exp(beta * x)) / beta, written so that exp cannot overflow; x where it differs by too little.
template <typename T>
__global__ void softplus(const T* x, T* out, long long count, T beta, T threshold) {
  map1(x, out, count, [=](T v) {
    T u = v * beta;
    return u > threshold ? v : ((u < T(0) ? T(0) : u) + log1p(exp(-fabs(u)))) / beta;
  });
}

template <typename T>
__global__ void softplus_backward(const T* grad, const T* x, T* out, long long count, T beta, T threshold) {
  map2(grad, x, out, count, [=](T g, T v) {
    T u = v * beta;
    return u > threshold ? g : g * (T(1) / (T(1) + exp(-u)));
  });
}

template <typename T>
__global__ void normal_cdf(const T* x, T* out, long long count) {
  map1(x, out, count, [](T v) { return normcdf(v); });
}
