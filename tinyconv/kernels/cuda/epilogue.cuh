// What happens to a sum before it is written, and to a gradient before it is summed.
//
// The sum is still in a register. As a kernel of its own, the same step would read and write the whole
// array once more. The formulas are those of activation.cu (formulas.cuh), and what they give is rounded before it
// is added up, so that both ways give the same bits.
#pragma once

#include "formulas.cuh"

// A function call, not a copy of the formulas: a thread of conv.cu has up to 64 sums, and six formulas in 64
// places are a long program.
template <typename T>
__device__ __noinline__ T call_activate(int activation, T v, T number) {
  return activate(activation, v, number);
}

template <typename T>
__device__ inline T finish(T sum, const T* bias, int channel, int activation, T number) {
  if (bias != nullptr) sum += bias[channel];
  return activation == NOTHING ? sum : call_activate(activation, sum, number);
}

// A number with the bits that a format of factors leaves it; the place of the name in FORMATS of
// elementwise.py. TF32 takes the larger of two that are as near, BF16 the even one.
enum Format { FLOAT32, TF32, BF16 };

__device__ inline float rounded(int format, float v) {
  unsigned bits = __float_as_uint(v);
  if (format == FLOAT32 || v != v) return v;
  if (format == TF32) return __uint_as_float((bits + 0x1000u) & 0xffffe000u);
  return __uint_as_float((bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u);
}

__device__ inline double rounded(int, double v) { return v; }
