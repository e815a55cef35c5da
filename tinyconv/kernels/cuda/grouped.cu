// Convolutions whose groups are small: depthwise ones, with one channel each, and those with a few.
//
// A tile of conv.cu would be empty but for a few columns. Here one thread computes one number, and
// neighbouring threads have neighbouring channels, which lie side by side in memory:
//
//   thread    0        1        2       ...            x pixel    c0 c1 c2 c3 ...
//   y         p, c0    p, c1    p, c2                  loads of a warp: one stretch for each tap
//
// The arrays are those of conv.cu. blockIdx.y is the class of the outputs (windows.cuh).
#include "common.cuh"
#include "epilogue.cuh"
#include "windows.cuh"

template <typename T>
__global__ void conv_grouped(
    const T* x, const T* weight, const T* bias, T* y, Geometry g, long long activation, T number) {
  __shared__ Axis axes[3];
  find_axes(g, blockIdx.y, axes);
  int channels = g.groups * g.out_channels;
  int row_length = g.kernel[0] * g.kernel[1] * g.kernel[2] * g.in_channels;
  for_each(outputs_of(g, axes) * channels, [=](long long i) {
    int channel = i % channels;
    Output output = output_of(axes, i / channels);
    Window window = window_of(g, axes, output);
    const T* inputs = x + window.element + channel / g.out_channels * g.in_channels;
    const T* row = weight + (long long)channel * row_length;
    T sum = 0;
    Term term = {{0, 0, 0}, 0};
    for (term.tap[0] = 0; term.tap[0] < axes[0].taps; ++term.tap[0]) {
      for (term.tap[1] = 0; term.tap[1] < axes[1].taps; ++term.tap[1]) {
        for (term.tap[2] = 0; term.tap[2] < axes[2].taps; ++term.tap[2]) {
          Reach reach = reach_of(g, axes, term);
          if (!is_inside(window, reach, axes)) continue;
          const T* from = inputs + reach.element;
          const T* with = row + reach.weight;
          for (int c = 0; c < g.in_channels; ++c) sum += from[c] * with[c];
        }
      }
    }
    if (bias != nullptr) sum += bias[channel];
    y[output_element(g, axes, output) + channel] = activate(activation, sum, number);
  });
}

// The gradient of the weight, over one part of the pixels:
//
//   one block:    32 output channels, one term; its 8 lines of threads share the pixels of a part
//   one thread:   every 8th pixel; then the first line adds up the 8 sums
//
// blockIdx.x counts terms, then tiles of channels; blockIdx.y parts, which sum_parts adds. parts is
// (parts, groups * out_channels, *kernel, in_channels).
template <typename T>
__global__ void __launch_bounds__(256) conv_grouped_weight_grad(
    const T* x, const T* grad, T* parts, Geometry g, long long terms) {
  __shared__ Axis axes[3];
  __shared__ T sums[8][32];
  find_axes(g, 0, axes);
  int lane = threadIdx.x % 32, line = threadIdx.x / 32, channels = g.groups * g.out_channels;
  int number = blockIdx.x % terms, channel = blockIdx.x / terms * 32 + lane;
  Reach reach = reach_of(g, axes, term_of(g, axes, number));
  long long outputs = outputs_of(g, axes);
  long long pixel = outputs * blockIdx.y / gridDim.y, end = outputs * (blockIdx.y + 1) / gridDim.y;
  Output output = output_of(axes, pixel + line);
  T sum = 0;
  if (channel < channels) {
    const T* inputs = x + channel / g.out_channels * g.in_channels + reach.element;
    for (pixel += line; pixel < end; pixel += 8) {
      Window window = window_of(g, axes, output);
      if (is_inside(window, reach, axes)) {
        sum += inputs[window.element] * grad[pixel * channels + channel];
      }
      advance(output, 8, axes);
    }
  }
  sums[line][lane] = sum;
  __syncthreads();
  if (line == 0 && channel < channels) {
    for (int other = 1; other < 8; ++other) sum += sums[other][lane];
    parts[((long long)blockIdx.y * channels + channel) * terms + number] = sum;
  }
}
