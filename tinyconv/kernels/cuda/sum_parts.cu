// The second pass of sums that are made in parts, and the first one of sums over all pixels.
//
// Which numbers are added, and in which order, depends on the sizes and on how many multiprocessors the GPU
// has: on one kind of GPU the same call gives the same bits every time.
#include "common.cuh"
#include "epilogue.cuh"

// out[i] = parts[0][i] + parts[1][i] + ...
//
//   one block:    32 neighbouring numbers; its 8 lines of threads share the parts
//   one thread:   one number, every 8th part; then the first line adds up the 8 sums
//
// A part is (groups, all_columns, taps, all_channels), and out is (groups, columns, channels, taps): the
// gradient of a weight in PyTorch's order, without what only filled up the tiles.
template <typename T>
__global__ void __launch_bounds__(256) sum_parts(
    const T* parts, T* out, long long count, long long part_size, int part_count, int columns, int channels,
    int taps, int all_columns, int all_channels) {
  __shared__ T sums[8][32];
  int lane = threadIdx.x % 32, line = threadIdx.x / 32;
  long long i = (long long)blockIdx.x * 32 + lane;
  // Neighbours here are neighbours in a part: channels come first, then taps.
  long long row = i / channels / taps;
  int tap = i / channels % taps, channel = i % channels;
  if (i < count) {
    long long from = (row / columns * all_columns + row % columns) * taps + tap;
    const T* number = parts + from * all_channels + channel;
    T sum = 0;
    for (int part = line; part < part_count; part += 8) sum += number[part * part_size];
    sums[line][lane] = sum;
  }
  __syncthreads();
  if (line == 0 && i < count) {
    T sum = 0;
    for (int other = 0; other < 8; ++other) sum += sums[other][lane];
    out[(row * channels + channel) * taps + tap] = sum;
  }
}

// The sum of each column of grad (rows, columns), the gradient of a bias. Where `before` is not null,
// grad is first taken back through an activation function and written there. The numbers are added in the
// format in which the tensor cores multiply them.
//
//   one block:    some rows of up to 256 columns: blockIdx.x says which columns, blockIdx.y which rows
//   one thread:   one column, every (256 / columns)-th row: neighbours read neighbours
template <typename T>
__global__ void __launch_bounds__(256) sum_columns(
    const T* grad, const T* at, T* before, T* parts, long long rows, int columns, int activation,
    T number, int format) {
  __shared__ T sums[256];
  int width = min(columns, 256), down = 256 / width;
  int column = blockIdx.x * 256 + threadIdx.x % width, line = threadIdx.x / width;
  long long first = rows * blockIdx.y / gridDim.y, end = rows * (blockIdx.y + 1) / gridDim.y;
  T sum = 0;
  if (line < down && column < columns) {
    for (long long row = first + line; row < end; row += down) {
      T v = grad[row * columns + column];
      if (before != nullptr) {
        v = activate_backward(activation, v, at[row * columns + column], number);
        before[row * columns + column] = v;
      }
      sum += rounded(format, v);
    }
  }
  sums[threadIdx.x] = sum;
  __syncthreads();
  if (line == 0 && column < columns) {
    for (int other = 1; other < down; ++other) sum += sums[other * width + threadIdx.x];
    parts[(long long)blockIdx.y * columns + column] = sum;
  }
}

// y[i] = activation(parts[0][i] + parts[1][i] + ... + bias) for y (rows, columns), one number per thread.
template <typename T>
__global__ void finish_parts(
    const T* parts, const T* bias, T* y, long long count, int part_count, int columns, int activation,
    T number) {
  for_each(count, [=](long long i) {
    T sum = 0;
    for (int part = 0; part < part_count; ++part) sum += parts[part * count + i];
    y[i] = finish(sum, bias, i % columns, activation, number);
  });
}

// y = activation(y + bias) for y (rows, columns), one number per thread.
template <typename T>
__global__ void add_bias(T* y, const T* bias, long long count, int columns, int activation, T number) {
  for_each(count, [=](long long i) {
    y[i] = finish(y[i], bias, i % columns, activation, number);
  });
}
