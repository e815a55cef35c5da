// Where the windows of a convolution lie. All its kernels read and write the same places.
//
// An array is (N, D, H, W, C) in memory, channels last; one or two spatial dimensions are lifted to
// three with sizes of 1. A convolution and its adjoint (the transposed one) both gather: each number
// of the output is a sum over the taps of the window that reach it. Along one axis:
//
//   conv        y[j] = sum over t of x[j stride - padding + t dilation] w[t]
//   transposed  y[q] = sum over t of x[(q + padding - t dilation) / stride] w[t], whole quotients only
//
// Of the transposed one, the outputs r, r + stride, r + 2 stride, ... meet the same taps, and are by
// themselves a convolution with stride 1: nothing is multiplied with zeros that a stride left between.
//
//   stride 2, kernel 3, padding 1     r = 0: y0 y2 y4 meet w1       r = 1: y1 y3 y5 meet w0 and w2
//
// A call of a kernel computes all such classes; an ordinary convolution is one class.
#pragma once

// The numbers of a call, the same struct as GEOMETRY in _windows.py.
struct Geometry {
  int batch, groups;
  int in_channels, out_channels;  // of one group: what is summed over, and what is computed
  int in_size[3], out_size[3];    // of the array that is read, and of the one that is written
  int kernel[3], stride[3], padding[3], dilation[3];
  int transposed;
};

// One axis of one class. Output j (of count) lies at out_first + j out_step; its tap u (of taps) is
// tap_first + u tap_step of the kernel and meets the input at in_first + j in_step + u in_tap.
struct Axis {
  int count, out_first, out_step;
  int in_size, in_first, in_step, in_tap;
  int taps, tap_first, tap_step;
};

__device__ inline int greatest_common_divisor(int a, int b) {
  while (b != 0) {
    int rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

__device__ inline int classes_along(const Geometry& g, int axis) {
  return g.transposed ? min(g.stride[axis], g.out_size[axis]) : 1;
}

// Axis `axis` of the class whose first output is `first`.
__device__ inline Axis axis_of(const Geometry& g, int axis, int first) {
  int kernel = g.kernel[axis], stride = g.stride[axis], dilation = g.dilation[axis];
  if (!g.transposed) {
    return {g.out_size[axis], 0, 1, g.in_size[axis], -g.padding[axis], stride, dilation, kernel, 0, 1};
  }
  int count = (g.out_size[axis] - first + stride - 1) / stride;
  int from = first + g.padding[axis];
  int step = stride / greatest_common_divisor(stride, dilation);
  int tap = 0;
  while (tap < step && (from - tap * dilation) % stride != 0) ++tap;
  int taps = tap < step && tap < kernel ? (kernel - tap + step - 1) / step : 0;
  int begin = taps > 0 ? (from - tap * dilation) / stride : 0;
  return {count, first, stride, g.in_size[axis], begin, 1, -(step * dilation / stride), taps, tap, step};
}

// The three axes of class number `number`, for all threads of a block. They wait for one another.
__device__ inline void find_axes(const Geometry& g, int number, Axis* axes) {
  if (threadIdx.x == 0) {
#pragma unroll
    for (int axis = 2; axis >= 0; --axis) {
      int classes = classes_along(g, axis);
      axes[axis] = axis_of(g, axis, number % classes);
      number /= classes;
    }
  }
  __syncthreads();
}

__device__ inline long long outputs_of(const Geometry& g, const Axis* axes) {
  return (long long)g.batch * axes[0].count * axes[1].count * axes[2].count;
}

// One output pixel of a class: its image, and its number along each axis.
struct Output {
  int image;
  int number[3];
};

__device__ inline Output output_of(const Axis* axes, long long number) {
  Output output;
#pragma unroll
  for (int axis = 2; axis >= 0; --axis) {
    output.number[axis] = number % axes[axis].count;
    number /= axes[axis].count;
  }
  output.image = number;
  return output;
}

__device__ inline void advance(Output& output, int by, const Axis* axes) {
  for (output.number[2] += by; output.number[2] >= axes[2].count; output.number[2] -= axes[2].count) {
    if (++output.number[1] < axes[1].count) continue;
    output.number[1] = 0;
    if (++output.number[0] < axes[0].count) continue;
    output.number[0] = 0;
    ++output.image;
  }
}

// The first element of the pixel in the array that is written.
__device__ inline long long output_element(const Geometry& g, const Axis* axes, const Output& output) {
  long long pixel = output.image;
#pragma unroll
  for (int axis = 0; axis < 3; ++axis) {
    pixel = pixel * g.out_size[axis] + axes[axis].out_first + output.number[axis] * axes[axis].out_step;
  }
  return pixel * g.groups * g.out_channels;
}

constexpr int FAR = 1 << 29;  // from there no tap comes back into an image

// Where its window begins in the input, as an element and as a position. Both may lie outside the
// image; an output that does not exist begins so far outside that no tap is inside.
struct Window {
  long long element;
  int position[3];
};

__device__ inline Window window_of(const Geometry& g, const Axis* axes, const Output& output) {
  Window window;
  long long pixel = output.image;
#pragma unroll
  for (int axis = 0; axis < 3; ++axis) {
    window.position[axis] = axes[axis].in_first + output.number[axis] * axes[axis].in_step;
    pixel = pixel * axes[axis].in_size + window.position[axis];
  }
  window.element = pixel * g.groups * g.in_channels;
  if (output.image >= g.batch) window.position[0] = -FAR;
  return window;
}

// One term of the sum: a tap of the window and a channel. Terms are counted with the channels first.
struct Term {
  int tap[3];
  int channel;
};

__device__ inline Term term_of(const Geometry& g, const Axis* axes, int number) {
  Term term;
  term.channel = number % g.in_channels;
  number /= g.in_channels;
#pragma unroll
  for (int axis = 2; axis > 0; --axis) {
    int taps = max(axes[axis].taps, 1);
    term.tap[axis] = number % taps;
    number /= taps;
  }
  term.tap[0] = number;
  return term;
}

__device__ inline void advance(Term& term, int by, int channels, const Axis* axes) {
  for (term.channel += by; term.channel >= channels; term.channel -= channels) {
    if (++term.tap[2] < axes[2].taps) continue;
    term.tap[2] = 0;
    if (++term.tap[1] < axes[1].taps) continue;
    term.tap[1] = 0;
    ++term.tap[0];
  }
}

__device__ inline bool exists(const Term& term, const Axis* axes) { return term.tap[0] < axes[0].taps; }

__device__ inline int terms_of(const Geometry& g, const Axis* axes) {
  return axes[0].taps * axes[1].taps * axes[2].taps * g.in_channels;
}

// Where a term lies, from the beginning of any window and of any row of the packed weight
// (out channel, *kernel, in channel).
struct Reach {
  long long element;
  int position[3];
  int weight;
};

__device__ inline Reach reach_of(const Geometry& g, const Axis* axes, const Term& term) {
  Reach reach;
  long long pixel = 0;
  int tap = 0;
#pragma unroll
  for (int axis = 0; axis < 3; ++axis) {
    reach.position[axis] = term.tap[axis] * axes[axis].in_tap;
    pixel = pixel * axes[axis].in_size + reach.position[axis];
    tap = tap * g.kernel[axis] + axes[axis].tap_first + term.tap[axis] * axes[axis].tap_step;
  }
  reach.element = pixel * g.groups * g.in_channels + term.channel;
  reach.weight = tap * g.in_channels + term.channel;
  if (!exists(term, axes)) reach.position[0] = 2 * FAR;
  return reach;
}

// Whether the tap meets the image: beyond its border there are zeros.
__device__ inline bool is_inside(const Window& window, const Reach& reach, const Axis* axes) {
  bool inside = true;
#pragma unroll
  for (int axis = 0; axis < 3; ++axis) {
    unsigned position = window.position[axis] + reach.position[axis];
    inside = inside && position < (unsigned)axes[axis].in_size;
  }
  return inside;
}

// Neighbours in memory that one instruction loads or stores; it wants them at a multiple of their size.
template <typename T, int COUNT>
struct alignas(COUNT * sizeof(T) < 16 ? COUNT * sizeof(T) : 16) Run {
  T value[COUNT];
};

template <typename T>
using Quad = Run<T, 4>;

template <typename T>
__device__ inline Quad<T> quad_at(const T* place, bool exists) {
  Quad<T> quad = {};
  if (exists) quad = *(const Quad<T>*)place;
  return quad;
}

// Write the first `count` of a run, all at once where they lie so.
template <typename T, int COUNT>
__device__ inline void write_run(const Run<T, COUNT>& run, T* place, int count) {
  if (count >= COUNT && (unsigned long long)place % sizeof(run) == 0) {
    *(Run<T, COUNT>*)place = run;
    return;
  }
#pragma unroll
  for (int k = 0; k < COUNT; ++k) {
    if (k < count) place[k] = run.value[k];
  }
}
