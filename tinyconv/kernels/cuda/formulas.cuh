// The activation functions that other kernels apply before they write a number, or after they read one.
#pragma once

// The places of the names in ACTIVATIONS of activation.py.
enum Activation { NOTHING, RELU, LEAKY_RELU, ELU, SIGMOID, TANH };

// NaN compares false with everything: each test is written so that a NaN reaches the result.
template <typename T>
__device__ inline T activate(int activation, T v, T number) {
  switch (activation) {
    case RELU: return v <= T(0) ? T(0) : v;
    case LEAKY_RELU: return v > T(0) ? v : v * number;
    case ELU: return v > T(0) ? v : number * expm1(v);
    case SIGMOID: return T(1) / (T(1) + exp(-v));
    case TANH: return tanh(v);
    default: return v;
  }
}

// A product that is rounded before anything is added to it: of `a * b + c` the compiler makes one instruction with
// one rounding. A kernel that adds up what it computed here would get other bits than one that stores it first.
__device__ inline float rounded_product(float a, float b) { return __fmul_rn(a, b); }
__device__ inline double rounded_product(double a, double b) { return __dmul_rn(a, b); }

// The gradient before the function from the one after it. The derivative is taken from the function's output, of
// leaky_relu from its input.
template <typename T>
__device__ inline T activate_backward(int activation, T grad, T at, T number) {
  switch (activation) {
    case RELU: return at <= T(0) ? T(0) : grad;
    case LEAKY_RELU: return at > T(0) ? grad : rounded_product(grad, number);
    case ELU: return at > T(0) ? grad : rounded_product(grad, at + number);
    case SIGMOID: return rounded_product(rounded_product(grad, at), T(1) - at);
    case TANH: return rounded_product(grad, T(1) - rounded_product(at, at));
    default: return grad;
  }
}
