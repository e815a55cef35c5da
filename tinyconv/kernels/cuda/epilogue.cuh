// What happens to a sum before it is written, and to a gradient before it is summed.
//
// The sum is still in a register. As a kernel of its own, the same step would read and write the whole
// array once more. The formulas are those of activation.cu, so that both ways give the same bits.
#pragma once

// The place of the name in EPILOGUES of _convolution.py.
enum Activation { NOTHING, RELU, LEAKY_RELU, ELU, SIGMOID, TANH };

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

// The gradient before the function, from the one after it; at is its output (leaky_relu: its input).
template <typename T>
__device__ inline T activate_backward(int activation, T grad, T at, T number) {
  switch (activation) {
    case RELU: return at <= T(0) ? T(0) : grad;
    case LEAKY_RELU: return at > T(0) ? grad : grad * number;
    case ELU: return at > T(0) ? grad : grad * (at + number);
    case SIGMOID: return grad * at * (T(1) - at);
    case TANH: return grad * (T(1) - at * at);
    default: return grad;
  }
}

// A number with the bits that a format of factors leaves it; the place of the name in FORMATS of
// _convolution.py. TF32 takes the larger of two that are as near, BF16 the even one.
enum Format { FLOAT32, TF32, BF16 };

__device__ inline float rounded(int format, float v) {
  unsigned bits = __float_as_uint(v);
  if (format == FLOAT32 || v != v) return v;
  if (format == TF32) return __uint_as_float((bits + 0x1000u) & 0xffffe000u);
  return __uint_as_float((bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u);
}

__device__ inline double rounded(int, double v) { return v; }
