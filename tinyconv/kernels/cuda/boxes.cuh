// Pooling windows that are boxes, in up to three dimensions (what is missing is a dimension of one pixel).
//
// Arrays are (N, D, H, W, C) in memory. The two kinds of windows, Sliding and Adaptive, answer the same
// questions along one axis, and that is all the loops below know about padding, stride and dilation:
//
//   pixels(window)   the pixels of the image that a window sees: first, first + step, ... below end
//   count(window)    by how many pixels its mean is divided
//   windows(pixel)   the windows that see a pixel: neighbours, because windows begin and end in order
#pragma once

#include "rows.cuh"

// The same numbers as MAPS in _boxes.py: the images that are pooled, and what comes out. A thread takes as
// many neighbouring channels as there are lanes: what fits into 16 bytes, or 1.
struct Maps {
  int images, channels, lanes;
  int size[3], out[3];
};

struct Span {
  int first, end, step;
};

// The same numbers as SLIDING in _boxes.py. `windows` is asked only where the dilation is 1.
struct Sliding {
  int kernel[3], stride[3], padding[3], dilation[3];
  int counts_padding;

  __device__ Span pixels(const Maps& maps, int axis, int window) const {
    int step = dilation[axis], corner = window * stride[axis] - padding[axis];
    int skipped = corner < 0 ? (-corner + step - 1) / step * step : 0;
    int end = corner + step * (kernel[axis] - 1) + 1;
    return {corner + skipped, min(end, maps.size[axis]), step};
  }

  __device__ int count(const Maps& maps, int axis, int window) const {
    int border = counts_padding ? padding[axis] : 0;
    int corner = window * stride[axis] - padding[axis];
    return min(corner + kernel[axis], maps.size[axis] + border) - max(corner, -border);
  }

  __device__ Span windows(const Maps& maps, int axis, int pixel) const {
    int place = pixel + padding[axis], before = place - kernel[axis];
    int first = before < 0 ? 0 : before / stride[axis] + 1;
    return {first, min(place / stride[axis] + 1, maps.out[axis]), 1};
  }
};

// Window i of m sees, of n pixels, those from floor(i n / m) to ceil((i + 1) n / m) - 1.
struct Adaptive {
  __device__ Span pixels(const Maps& maps, int axis, int window) const {
    long long n = maps.size[axis], m = maps.out[axis];
    return {(int)(window * n / m), (int)(((window + 1) * n + m - 1) / m), 1};
  }

  __device__ int count(const Maps& maps, int axis, int window) const {
    Span seen = pixels(maps, axis, window);
    return seen.end - seen.first;
  }

  __device__ Span windows(const Maps& maps, int axis, int pixel) const {
    long long n = maps.size[axis], m = maps.out[axis];
    return {(int)(pixel * m / n), (int)(((pixel + 1) * m + n - 1) / n), 1};
  }
};

// Some channels of one pixel of an image, or of one window.
struct Place {
  int image, channel, at[3];
};

// Calls body(place, i) for all channels of all places of the images, LANES at a time; i is where they are.
template <int LANES, typename Body>
__device__ void each_place(const Maps& maps, const int* size, Body body) {
  int groups = maps.channels / LANES;
  long long length = (long long)size[2] * groups;
  along_rows(maps.images * size[0] * size[1], length, [&](int row, long long i) {
    int column = (int)i;
    Place place = {row / size[1] / size[0], column % groups * LANES,
                   {row / size[1] % size[0], row % size[1], column / groups}};
    body(place, (row * length + i) * LANES);
  });
}

// Where a channel of an image of the given size begins; its next pixel is `channels` further on.
__device__ inline long long begin_of(const Maps& maps, const int* size, const Place& place) {
  return (long long)place.image * size[0] * size[1] * size[2] * maps.channels + place.channel;
}

// Calls body(pixel) for each pixel of a box, by its number in the image, in reading order.
template <typename Body>
__device__ void each_pixel(const int* size, Span deep, Span high, Span wide, Body body) {
  for (int d = deep.first; d < deep.end; d += deep.step) {
    for (int h = high.first; h < high.end; h += high.step) {
      for (int w = wide.first; w < wide.end; w += wide.step) body((d * size[1] + h) * size[2] + w);
    }
  }
}

// The largest pixel of each window and its number in the image. One thread has some channels of one window.
template <int LANES, typename T, typename Windows>
__device__ void largest_of_windows(
    Lanes<LANES>, const T* x, T* y, int* indices, const Maps& maps, const Windows& windows) {
  each_place<LANES>(maps, maps.out, [&](const Place& place, long long i) {
    const T* image = x + begin_of(maps, maps.size, place);
    Pack<T, LANES> best = {};
    Pack<int, LANES> found = {};
    bool first = true;
    each_pixel(
        maps.size, windows.pixels(maps, 0, place.at[0]), windows.pixels(maps, 1, place.at[1]),
        windows.pixels(maps, 2, place.at[2]), [&](int pixel) {
          Pack<T, LANES> values = load<LANES>(image + (long long)pixel * maps.channels);
#pragma unroll
          for (int c = 0; c < LANES; ++c) {
            T value = values.lane[c];
            // Of equals the first stays; a NaN, which is not itself, wins over all.
            if (first || value > best.lane[c] || value != value) {
              best.lane[c] = value;
              found.lane[c] = pixel;
            }
          }
          first = false;
        });
    store(y + i, best);
    store(indices + i, found);
  });
}

// The mean of each window, summed in numbers of type Sum.
template <typename Sum, int LANES, typename T, typename Windows>
__device__ void mean_of_windows(Lanes<LANES>, const T* x, T* y, const Maps& maps, const Windows& windows) {
  each_place<LANES>(maps, maps.out, [&](const Place& place, long long i) {
    const T* image = x + begin_of(maps, maps.size, place);
    Pack<Sum, LANES> total = {};
    Pack<T, LANES> mean;
    int count = 1;
    for (int axis = 0; axis < 3; ++axis) count *= windows.count(maps, axis, place.at[axis]);
    each_pixel(
        maps.size, windows.pixels(maps, 0, place.at[0]), windows.pixels(maps, 1, place.at[1]),
        windows.pixels(maps, 2, place.at[2]), [&](int pixel) {
          Pack<T, LANES> values = load<LANES>(image + (long long)pixel * maps.channels);
#pragma unroll
          for (int c = 0; c < LANES; ++c) total.lane[c] += values.lane[c];
        });
#pragma unroll
    for (int c = 0; c < LANES; ++c) mean.lane[c] = (T)(total.lane[c] / (Sum)count);
    store(y + i, mean);
  });
}

// The gradient of these means. One thread has some channels of one pixel of the image, and collects from
// the windows that saw it: no two threads write one number, and the order of the sum is always the same.
template <int LANES, typename T, typename Windows>
__device__ void collect_from_windows(
    Lanes<LANES>, const T* grad, T* out, const Maps& maps, const Windows& windows) {
  each_place<LANES>(maps, maps.size, [&](const Place& place, long long i) {
    const T* windows_of_image = grad + begin_of(maps, maps.out, place);
    Span deep = windows.windows(maps, 0, place.at[0]);
    Span high = windows.windows(maps, 1, place.at[1]);
    Span wide = windows.windows(maps, 2, place.at[2]);
    Pack<T, LANES> total = {};
    for (int d = deep.first; d < deep.end; ++d) {
      for (int h = high.first; h < high.end; ++h) {
        int count = windows.count(maps, 0, d) * windows.count(maps, 1, h);
        for (int w = wide.first; w < wide.end; ++w) {
          int window = (d * maps.out[1] + h) * maps.out[2] + w;
          T share = (T)(count * windows.count(maps, 2, w));
          Pack<T, LANES> grads = load<LANES>(windows_of_image + (long long)window * maps.channels);
#pragma unroll
          for (int c = 0; c < LANES; ++c) total.lane[c] += grads.lane[c] / share;
        }
      }
    }
    store(out + i, total);
  });
}
