// The second pass of sums that are made in parts, and the first one of sums over all pixels.
//
// Which numbers are added, and in which order, depends on the sizes alone: the same call gives the same
// bits every time.
#include "common.cuh"
#include "epilogue.cuh"

// out = parts[0] + parts[1] + ..., one number per thread. A part is (rows, taps, channels) in memory, out
// is (rows, channels, taps): the gradient of a weight has PyTorch's order.
template <typename T>
__global__ void sum_parts(
    const T* parts, T* out, long long count, long long part_count, long long taps, long long channels) {
  for_each(count, [=](long long i) {
    T sum = 0;
    for (long long part = 0; part < part_count; ++part) sum += parts[part * count + i];
    long long row = i / channels / taps;
    long long tap = i / channels % taps, channel = i % channels;
    out[(row * channels + channel) * taps + tap] = sum;
  });
}

// The sum of each column of grad (rows, columns), the gradient of a bias. Where `before` is not null,
// grad is first taken back through an activation function and written there. The numbers are added in the
// format in which the tensor cores multiply them.
//
//   one block:    some rows of up to 256 columns: blockIdx.x says which columns, blockIdx.y which rows
//   one thread:   one column, every (256 / columns)-th row: neighbours read neighbours
template <typename T>
__global__ void __launch_bounds__(256) sum_columns(
    const T* grad, const T* at, T* before, T* parts, long long rows, long long columns,
    long long activation, T number, long long format) {
  __shared__ T sums[256];
  int width = min(columns, 256ll), down = 256 / width;
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

// y = activation(y + bias) for y (rows, columns), one number per thread.
template <typename T>
__global__ void add_bias(T* y, const T* bias, long long count, long long columns, long long activation, T number) {
  for_each(count, [=](long long i) {
    y[i] = activate(activation, bias == nullptr ? y[i] : y[i] + bias[i % columns], number);
  });
}
