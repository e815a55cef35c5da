// Convolution and transposed convolution as a matrix product whose left matrix is never written down
// ("implicit GEMM").
//
//   y[pixel, channel] = sum over terms of inputs[pixel, term] * weight[channel, term]
//
// A term is a tap of the window and an input channel. im2col would copy the inputs of all windows into
// a matrix, 9 times the image for a 3x3 kernel; here each block copies the few that it needs next, from
// the places that windows.cuh names, into shared memory.
//
//   one block:    Tile::ROWS pixels x Tile::COLUMNS output channels of one group
//   one thread:   a few of the block's sums, in registers (tile.cuh, or tensor_tile.cuh)
//
// x is (N, D, H, W, groups * in_channels), weight (groups * out_channels, *kernel, in_channels), y like x;
// in_channels is a multiple of 4 (zeros fill up), x and weight begin at a multiple of 16 bytes.
// blockIdx.x counts tiles of pixels, then classes (windows.cuh), then groups; blockIdx.y tiles of channels.
//
// A small image has few tiles, and a long sum for each. Then the terms are cut into parts, blockIdx.z; y has
// one array of `part_size` numbers for each, which finish_parts (sum_parts.cu) adds.
#include "epilogue.cuh"
#include "tensor_tile.cuh"
#include "tile.cuh"

// Wide tiles load least for each product; many small ones keep a whole GPU busy with a small image; the
// others are for few output channels. The same sizes stand in _convolution.py.
using Wide = Tile<float, 128, 128, 8, 8, 8>;
using Square = Tile<float, 64, 64, 16, 4, 4>;
using Narrow = Tile<float, 128, 16, 16, 4, 4>;
using SquareDouble = Tile<double, 64, 64, 8, 4, 4>;
using WideTf32 = TensorTile<Tf32, 128, 128, 64, 32, true>;
using SquareTf32 = TensorTile<Tf32, 64, 64, 32, 32, true>;
using NarrowTf32 = TensorTile<Tf32, 128, 16, 32, 16, true>;
using WideBf16 = TensorTile<Bf16, 128, 128, 64, 32, true>;
using SquareBf16 = TensorTile<Bf16, 64, 64, 32, 32, true>;
using NarrowBf16 = TensorTile<Bf16, 128, 16, 32, 16, true>;
// instances: conv<Wide>
// instances: conv<Square>
// instances: conv<Narrow>
// instances: conv<SquareDouble>
// instances: conv<WideTf32>
// instances: conv<SquareTf32>
// instances: conv<NarrowTf32>
// instances: conv<WideBf16>
// instances: conv<SquareBf16>
// instances: conv<NarrowBf16>

// A thread's share in filling the strips: four terms of every DOWN-th row and column.
template <typename Tile>
struct Load {
  using T = typename Tile::Number;
  static constexpr int ACROSS = Tile::DEPTH / 4, DOWN = Tile::THREADS / ACROSS;
  static constexpr int ROWS = (Tile::ROWS + DOWN - 1) / DOWN, COLUMNS = (Tile::COLUMNS + DOWN - 1) / DOWN;

  const Geometry& g;
  const Axis* axes;
  const T *x, *weight;
  int line, first_term;
  Term term;
  Window windows[ROWS];
  int rows[COLUMNS];  // where those of the weight begin
  Quad<T> inputs[ROWS], weights[COLUMNS];

  __device__ Load(
      const Geometry& g, const Axis* axes, const T* x, const T* weight, int group, int first_channel,
      long long first_output, int first_step)
      : g(g), axes(axes), x(x), weight(weight) {
    line = threadIdx.x / ACROSS;
    first_term = threadIdx.x % ACROSS * 4;
    term = term_of(g, axes, first_step * Tile::DEPTH + first_term);
#pragma unroll
    for (int i = 0; i < ROWS; ++i) {
      windows[i] = window_of(g, axes, output_of(axes, first_output + line + i * DOWN));
      windows[i].element += group * g.in_channels;
    }
    int row_length = g.kernel[0] * g.kernel[1] * g.kernel[2] * g.in_channels;
#pragma unroll
    for (int j = 0; j < COLUMNS; ++j) {  // those beyond the last one are not wanted: they repeat it
      int channel = min(first_channel + line + j * DOWN, g.out_channels - 1);
      rows[j] = (group * g.out_channels + channel) * row_length;
    }
  }

  // The next four terms, which are of one tap: the number of channels is a multiple of 4.
  __device__ void fetch() {
    Reach reach = reach_of(g, axes, term);
#pragma unroll
    for (int i = 0; i < ROWS; ++i) {
      inputs[i] = quad_at(x + windows[i].element + reach.element, is_inside(windows[i], reach, axes));
    }
#pragma unroll
    for (int j = 0; j < COLUMNS; ++j) {
      weights[j] = quad_at(weight + (rows[j] + reach.weight), exists(term, axes));
    }
    advance(term, Tile::DEPTH, g.in_channels, axes);
  }

  __device__ void store(typename Tile::Strips& strips, int half) {
#pragma unroll
    for (int i = 0; i < ROWS; ++i) {
      int row = line + i * DOWN;
      if (row < Tile::ROWS) strips.rows[half].store_terms(row, first_term, inputs[i]);
    }
#pragma unroll
    for (int j = 0; j < COLUMNS; ++j) {
      int column = line + j * DOWN;
      if (column < Tile::COLUMNS) strips.columns[half].store_terms(column, first_term, weights[j]);
    }
  }
};

template <typename Tile>
__global__ void __launch_bounds__(Tile::THREADS, Tile::BLOCKS) conv(
    const typename Tile::Number* x, const typename Tile::Number* weight,
    const typename Tile::Number* bias, typename Tile::Number* y, Geometry g, int tiles, int classes,
    int activation, typename Tile::Number number, long long part_size) {
  using T = typename Tile::Number;
  __shared__ typename Tile::Strips strips;
  __shared__ Axis axes[3];
  int place = blockIdx.x % tiles, part = blockIdx.x / tiles, group = part / classes;
  find_axes(g, part % classes, axes);
  long long first_output = (long long)place * Tile::ROWS;
  if (first_output >= outputs_of(g, axes)) return;  // the first class is the largest

  int first_channel = blockIdx.y * Tile::COLUMNS;
  int steps = (terms_of(g, axes) + Tile::DEPTH - 1) / Tile::DEPTH;
  int first_step = (long long)steps * blockIdx.z / gridDim.z;
  int end = (long long)steps * (blockIdx.z + 1) / gridDim.z;
  Load<Tile> load(g, axes, x, weight, group, first_channel, first_output, first_step);
  Tile tile;
  sum_products(tile, strips, load, end - first_step);

#pragma unroll
  for (int i = 0; i < Tile::HIGH; ++i) {
    Output output = output_of(axes, (long long)place * Tile::ROWS + Tile::row(i));
    if (output.image >= g.batch) continue;
    T* pixel = y + blockIdx.z * part_size + output_element(g, axes, output) + group * g.out_channels;
#pragma unroll
    for (int j = 0; j < Tile::WIDE; j += Tile::RUN) {
      int channel = first_channel + Tile::column(j), count = g.out_channels - channel;
      Run<T, Tile::RUN> run = {};
#pragma unroll
      for (int k = 0; k < Tile::RUN; ++k) {
        int place = group * g.out_channels + channel + k;
        if (k < count) run.value[k] = finish(tile.sum(i, j + k), bias, place, activation, number);
      }
      write_run(run, pixel + channel, count);
    }
  }
}
