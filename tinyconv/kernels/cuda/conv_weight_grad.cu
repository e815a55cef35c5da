// The gradient of a convolution's weight, a matrix product along the pixels, in two passes.
//
//   gradient[channel, term] = sum over output pixels of grad[pixel, channel] * inputs[pixel, term]
//
// The sum is long (all pixels of a batch) and the matrix small: a few tiles cannot keep a GPU busy. So
// the pixels are cut into parts ("split-K"). Each block sums one part of one tile, and a second pass,
// sum_parts, adds the parts in their order. Threads that added to the gradient as they finish (atomicAdd)
// would need no second pass, and would give other last digits in every run.
//
//   one block:    Tile::ROWS output channels x Tile::COLUMNS terms of one group, over one part
//   one thread:   a few of the block's sums, as in conv.cu
//
// x is (N, D, H, W, groups * in_channels), grad (N, D, H, W, groups * out_channels), both numbers of
// channels multiples of 4; parts is (parts, groups * out_channels, *kernel, in_channels). blockIdx.x counts
// tiles of terms, then parts, then groups; blockIdx.y tiles of channels.
#include "tensor_tile.cuh"
#include "tile.cuh"

// As in conv.cu. Flat tiles are for few output channels.
using Wide = Tile<float, 128, 128, 8, 8, 8>;
using Square = Tile<float, 64, 64, 16, 4, 4>;
using Flat = Tile<float, 16, 128, 16, 4, 4>;
using SquareDouble = Tile<double, 64, 64, 8, 4, 4>;
using WideTf32 = TensorTile<Tf32, 128, 128, 64, 32, false>;
using SquareTf32 = TensorTile<Tf32, 64, 64, 32, 32, false>;
using FlatTf32 = TensorTile<Tf32, 16, 128, 16, 32, false>;
using WideBf16 = TensorTile<Bf16, 128, 128, 64, 32, false>;
using SquareBf16 = TensorTile<Bf16, 64, 64, 32, 32, false>;
using FlatBf16 = TensorTile<Bf16, 16, 128, 16, 32, false>;
// instances: conv_weight_grad<Wide>
// instances: conv_weight_grad<Square>
// instances: conv_weight_grad<Flat>
// instances: conv_weight_grad<SquareDouble>
// instances: conv_weight_grad<WideTf32>
// instances: conv_weight_grad<SquareTf32>
// instances: conv_weight_grad<FlatTf32>
// instances: conv_weight_grad<WideBf16>
// instances: conv_weight_grad<SquareBf16>
// instances: conv_weight_grad<FlatBf16>

// A thread's share in filling the strips: of every DOWN-th word of pixels, four output channels and four
// terms. A word is one pixel, or two where a tile stores two numbers together.
template <typename Tile>
struct Load {
  using T = typename Tile::Number;
  static constexpr int TOGETHER = Tile::TOGETHER, WORDS = Tile::DEPTH / TOGETHER;
  static constexpr int ROW_QUADS = Tile::ROWS / 4, ROW_DOWN = Tile::THREADS / ROW_QUADS;
  static constexpr int COLUMN_QUADS = Tile::COLUMNS / 4, COLUMN_DOWN = Tile::THREADS / COLUMN_QUADS;
  static constexpr int ROWS = (WORDS + ROW_DOWN - 1) / ROW_DOWN;
  static constexpr int COLUMNS = (WORDS + COLUMN_DOWN - 1) / COLUMN_DOWN;

  const Geometry& g;
  const Axis* axes;
  const T *x, *grad;
  int row, row_word, column, column_word;
  int channels;  // output channels from the thread's first one on
  long long pixel, outputs;
  Output output;
  Term term;
  Quad<T> grads[ROWS][TOGETHER], inputs[COLUMNS][TOGETHER];

  __device__ Load(
      const Geometry& g, const Axis* axes, const T* x, const T* grad, int group, int first_channel,
      int first_term, long long first_pixel)
      : g(g), axes(axes), x(x + group * g.in_channels) {
    row = threadIdx.x % ROW_QUADS * 4, row_word = threadIdx.x / ROW_QUADS;
    column = threadIdx.x % COLUMN_QUADS * 4, column_word = threadIdx.x / COLUMN_QUADS;
    this->grad = grad + group * g.out_channels + first_channel + row;
    channels = g.out_channels - first_channel - row;
    outputs = outputs_of(g, axes);
    pixel = first_pixel + row_word * TOGETHER;
    output = output_of(axes, first_pixel + column_word * TOGETHER);
    term = term_of(g, axes, first_term + column);
  }

  __device__ void fetch() {
#pragma unroll
    for (int i = 0; i < ROWS; ++i) {
#pragma unroll
      for (int k = 0; k < TOGETHER; ++k) {
        long long at = pixel + i * ROW_DOWN * TOGETHER + k;
        grads[i][k] = quad_at(grad + at * g.groups * g.out_channels, at < outputs && channels > 0);
      }
    }
    Reach reach = reach_of(g, axes, term);
    Output at = output;
#pragma unroll
    for (int j = 0; j < COLUMNS; ++j) {
#pragma unroll
      for (int k = 0; k < TOGETHER; ++k) {
        Window window = window_of(g, axes, at);
        inputs[j][k] = quad_at(x + window.element + reach.element, is_inside(window, reach, axes));
        advance(at, k + 1 < TOGETHER ? 1 : COLUMN_DOWN * TOGETHER - k, axes);
      }
    }
    pixel += Tile::DEPTH;
    advance(output, Tile::DEPTH, axes);
  }

  __device__ void store(typename Tile::Strips& strips, int half) {
#pragma unroll
    for (int i = 0; i < ROWS; ++i) {
      int word = row_word + i * ROW_DOWN;
      if (word < WORDS) strips.rows[half].store_lines(row, word * TOGETHER, grads[i]);
    }
#pragma unroll
    for (int j = 0; j < COLUMNS; ++j) {
      int word = column_word + j * COLUMN_DOWN;
      if (word < WORDS) strips.columns[half].store_lines(column, word * TOGETHER, inputs[j]);
    }
  }
};

template <typename Tile>
__global__ void __launch_bounds__(Tile::THREADS, Tile::BLOCKS) conv_weight_grad(
    const typename Tile::Number* x, const typename Tile::Number* grad, typename Tile::Number* parts,
    Geometry g, int tiles, int part_count) {
  __shared__ typename Tile::Strips strips;
  __shared__ Axis axes[3];
  find_axes(g, 0, axes);
  int first_term = blockIdx.x % tiles * Tile::COLUMNS, first_channel = blockIdx.y * Tile::ROWS;
  int part = blockIdx.x / tiles % part_count, group = blockIdx.x / tiles / part_count;
  long long steps = (outputs_of(g, axes) + Tile::DEPTH - 1) / Tile::DEPTH;
  long long first = steps * part / part_count, end = steps * (part + 1) / part_count;

  Load<Tile> load(g, axes, x, grad, group, first_channel, first_term, first * Tile::DEPTH);
  Tile tile;
  sum_products(tile, strips, load, end - first);

  int terms = terms_of(g, axes);
  parts += ((long long)part * g.groups + group) * g.out_channels * terms;
#pragma unroll
  for (int i = 0; i < Tile::HIGH; ++i) {
    int channel = first_channel + Tile::row(i);
    if (channel >= g.out_channels) continue;
#pragma unroll
    for (int j = 0; j < Tile::WIDE; ++j) {
      int term = first_term + Tile::column(j);
      if (term < terms) parts[(long long)channel * terms + term] = tile.sum(i, j);
    }
  }
}
