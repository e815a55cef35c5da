// Convolutions whose groups are small: depthwise ones, with one channel each, and those with a few.
//
// A tile of conv.cu would be empty but for a few columns. Here a thread has four neighbouring output
// channels, which lie side by side in memory, and computes four pixels of them one after the other:
//
//   thread    0            1            2                x pixel   c0 c1 c2 c3 c4 c5 c6 c7 ...
//   y         p, c0..c3    p, c4..c7    p, c8..c11       loads of a warp: one stretch for each tap
//
// x and y are those of conv.cu; weight is (in_channels, *kernel, groups * out_channels).
#include "common.cuh"
#include "epilogue.cuh"
#include "windows.cuh"

// The numbers of four neighbours, as many as there are.
template <typename T>
__device__ inline Quad<T> load_some(const T* place, int count) {
  if (count >= 4 && (unsigned long long)place % sizeof(Quad<T>) == 0) return *(const Quad<T>*)place;
  Quad<T> quad;
#pragma unroll
  for (int k = 0; k < 4; ++k) quad.value[k] = k < count ? place[k] : T(0);
  return quad;
}

// The inputs that four output channels meet, for input channel c of their groups. A depthwise convolution
// has its input channels where its output channels are.
template <typename T>
__device__ inline Quad<T> load_inputs(const T* pixel, const Geometry& g, int channel, int count, int c) {
  if (g.in_channels == 1 && g.out_channels == 1) return load_some(pixel + channel, count);
  Quad<T> quad;
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    quad.value[k] = k < count ? pixel[(channel + k) / g.out_channels * g.in_channels + c] : T(0);
  }
  return quad;
}

template <typename T>
__device__ inline Quad<T> sum_of_window(
    const T* x, const T* weight, const Geometry& g, const Axis* axes, const Window& window, int channel,
    int count) {
  int channels = g.groups * g.out_channels, taps = g.kernel[0] * g.kernel[1] * g.kernel[2];
  Quad<T> sums = {};
  Term term = {{0, 0, 0}, 0};
  for (term.tap[0] = 0; term.tap[0] < axes[0].taps; ++term.tap[0]) {
    for (term.tap[1] = 0; term.tap[1] < axes[1].taps; ++term.tap[1]) {
      for (term.tap[2] = 0; term.tap[2] < axes[2].taps; ++term.tap[2]) {
        Reach reach = reach_of(g, axes, term);
        if (!is_inside(window, reach, axes)) continue;
        const T* with = weight + (long long)(reach.weight / g.in_channels) * channels + channel;
        for (int c = 0; c < g.in_channels; ++c) {
          Quad<T> inputs = load_inputs(x + window.element + reach.element, g, channel, count, c);
          Quad<T> weights = load_some(with + (long long)c * taps * channels, count);
#pragma unroll
          for (int k = 0; k < 4; ++k) sums.value[k] += inputs.value[k] * weights.value[k];
        }
      }
    }
  }
  return sums;
}

// blockIdx.x counts blocks of outputs, then their classes (windows.cuh), of which a large stride makes many.
template <typename T>
__global__ void __launch_bounds__(256) conv_grouped(
    const T* x, const T* weight, const T* bias, T* y, Geometry g, int blocks, int activation, T number) {
  __shared__ Axis axes[3];
  find_axes(g, blockIdx.x / blocks, axes);
  int channels = g.groups * g.out_channels, quads = (channels + 3) / 4;
  long long thread = (long long)(blockIdx.x % blocks) * blockDim.x + threadIdx.x;
  int channel = thread % quads * 4, count = channels - channel;
  Output output = output_of(axes, thread / quads * 4);
  for (int pixel = 0; pixel < 4 && output.image < g.batch; ++pixel) {
    Quad<T> sums = sum_of_window(x, weight, g, axes, window_of(g, axes, output), channel, count);
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      if (k < count) sums.value[k] = finish(sums.value[k], bias, channel + k, activation, number);
    }
    write_run(sums, y + output_element(g, axes, output) + channel, count);
    advance(output, 1, axes);
  }
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
    const T* x, const T* grad, T* parts, Geometry g, int terms) {
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
