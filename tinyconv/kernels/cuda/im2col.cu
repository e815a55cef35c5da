// The copies around a matrix product that make it a convolution, one number per thread.
//
// A column holds one window: for each channel the taps of the kernel. Neighbouring threads copy for
// neighbouring pixels, whose windows lie side by side in the image.
//
//   x   0 1 2 3 4      columns, kernel 3    0 1 2
//                                           1 2 3
//                                           2 3 4
#include "common.cuh"
#include "windows.cuh"

// Distances of neighbours in memory, in numbers.
struct Strides {
  long long image, channel, along[3];
};

// columns (N, channels, *kernel, *output) of x (N, channels, *size) in any memory order; g is the geometry
// of a convolution with one group.
template <typename T>
__global__ void im2col(const T* x, T* columns, Geometry g, Strides strides, long long count) {
  for_each(count, [=](long long i) {
    long long rest = i;
    int output[3], tap[3];
    for (int axis = 2; axis >= 0; --axis) {
      output[axis] = rest % g.out_size[axis];
      rest /= g.out_size[axis];
    }
    for (int axis = 2; axis >= 0; --axis) {
      tap[axis] = rest % g.kernel[axis];
      rest /= g.kernel[axis];
    }
    long long from = rest % g.in_channels * strides.channel + rest / g.in_channels * strides.image;
    bool inside = true;
    for (int axis = 0; axis < 3; ++axis) {
      int position = output[axis] * g.stride[axis] - g.padding[axis] + tap[axis] * g.dilation[axis];
      inside = inside && position >= 0 && position < g.in_size[axis];
      from += position * strides.along[axis];
    }
    columns[i] = inside ? x[from] : T(0);
  });
}

// x (N, channels, *size) of columns: each pixel adds up the places that it was copied to. The image is
// what is written here, so g is the geometry of the transposed convolution.
template <typename T>
__global__ void col2im(const T* columns, T* x, Geometry g, long long count) {
  long long outputs = (long long)g.in_size[0] * g.in_size[1] * g.in_size[2];
  for_each(count, [=](long long i) {
    long long rest = i;
    Axis axes[3];
    int number[3];
    for (int axis = 2; axis >= 0; --axis) {
      int position = rest % g.out_size[axis];
      axes[axis] = axis_of(g, axis, position % g.stride[axis]);
      number[axis] = position / g.stride[axis];
      rest /= g.out_size[axis];
    }
    T sum = 0;
    bool any = axes[1].taps > 0 && axes[2].taps > 0;
    for (Term term = {{0, 0, 0}, 0}; any && exists(term, axes); advance(term, 1, 1, axes)) {
      bool inside = true;
      long long row = rest, output = 0;
      for (int axis = 0; axis < 3; ++axis) {
        int position = axes[axis].in_first + number[axis] + term.tap[axis] * axes[axis].in_tap;
        inside = inside && position >= 0 && position < axes[axis].in_size;
        output = output * axes[axis].in_size + position;
        row = row * g.kernel[axis] + axes[axis].tap_first + term.tap[axis] * axes[axis].tap_step;
      }
      if (inside) sum += columns[row * outputs + output];
    }
    x[i] = sum;
  });
}
