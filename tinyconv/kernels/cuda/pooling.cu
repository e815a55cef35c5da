// Sliding pooling windows, and the way back by indices.
//
// One thread makes one number of the output, or four: it looks at the window below it, or from a pixel of
// an image at the windows above it. Neighbouring threads have neighbouring channels, then pixels, so that
// whatever they look at lies side by side:
//
//            forward                          backward
//   y        t0                     grad      windows w0, w1 ask ...
//           /  \                               \ /
//   x     x x x x  window           x_grad     t0  one pixel
//
// Nobody writes what another thread writes: no atomics, and the same bits from run to run.
#include "boxes.cuh"

template <typename T>
__global__ void max_pool(const T* x, T* y, int* indices, Maps maps, Sliding windows) {
  with_lanes<T>(maps.lanes, [&](auto lanes) { largest_of_windows(lanes, x, y, indices, maps, windows); });
}

template <typename T>
__global__ void avg_pool(const T* x, T* y, Maps maps, Sliding windows) {
  with_lanes<T>(maps.lanes, [&](auto lanes) { mean_of_windows<T>(lanes, x, y, maps, windows); });
}

template <typename T>
__global__ void avg_pool_backward(const T* grad, T* out, Maps maps, Sliding windows) {
  with_lanes<T>(maps.lanes, [&](auto lanes) { collect_from_windows(lanes, grad, out, maps, windows); });
}

// What a thread reads at an index outside the image: nothing.
template <typename T>
__global__ void pool_gather(const T* x, const int* indices, T* y, Maps maps) {
  int pixels = maps.size[0] * maps.size[1] * maps.size[2];
  each_place<1>(maps, maps.out, [&](const Place& place, long long i) {
    int pixel = indices[i];
    bool inside = pixel >= 0 && pixel < pixels;
    y[i] = inside ? x[begin_of(maps, maps.size, place) + (long long)pixel * maps.channels] : T(0);
  });
}

// The way back: put x (N, *out, C) at its indices in an image (N, *size, C). Where the windows were is not
// known, only where the maxima were. Window i of m should begin near pixel i n / m. How far before and
// after that the maxima lie is measured first; then each pixel asks the few windows that reach it.
// Windows side by side reach from 0 to their length - 1, so that each pixel asks one window only.
//
//   pixels     0 1 2 3 4 5 6 7        n = 8, m = 4: window 1 should begin at pixel 2
//   maxima     . 0 1 . . 2 . 3        reach: 0 before, 1 after
//
// Strange indices make it slow, never wrong.

__device__ inline int begin_of_window(const Maps& maps, int axis, int window) {
  return (int)((long long)window * maps.size[axis] / maps.out[axis]);
}

// reach[axis]: how far before its window's place an index lies at most; reach[3 + axis]: how far after.
__global__ void pool_reach(const int* indices, int* reach, Maps maps) {
  int farthest[6] = {0, 0, 0, 0, 0, 0};
  const int* size = maps.size;
  each_place<1>(maps, maps.out, [&](const Place& place, long long i) {
    int pixel = indices[i];
    if (pixel < 0 || pixel >= size[0] * size[1] * size[2]) return;
    int at[3] = {pixel / size[2] / size[1], pixel / size[2] % size[1], pixel % size[2]};
    for (int axis = 0; axis < 3; ++axis) {
      int distance = at[axis] - begin_of_window(maps, axis, place.at[axis]);
      farthest[axis] = max(farthest[axis], -distance);
      farthest[3 + axis] = max(farthest[3 + axis], distance);
    }
  });
  // The largest of whole numbers is the same in whatever order the threads come, and most of them
  // find that another one has been as far.
  for (int k = 0; k < 6; ++k) {
    if (farthest[k] > reach[k]) atomicMax(reach + k, farthest[k]);
  }
}

// The first window that should begin at this pixel or later.
__device__ inline int first_window_from(const Maps& maps, int axis, int pixel) {
  long long n = maps.size[axis], m = maps.out[axis];
  return pixel <= 0 ? 0 : (int)min((pixel * m + n - 1) / n, m);
}

__device__ inline Span windows_in_reach(const Maps& maps, const int* reach, int axis, int pixel) {
  int first = first_window_from(maps, axis, pixel - reach[3 + axis]);
  return {first, first_window_from(maps, axis, pixel + reach[axis] + 1), 1};
}

// Makes each number of y of the numbers of x whose index is its pixel: keep(number so far, number of x), in
// the order of their windows.
template <int LANES, typename T, typename Keep>
__device__ void put_back(
    Lanes<LANES>, const T* x, const int* indices, const int* reach, T* y, const Maps& maps, Keep keep) {
  each_place<LANES>(maps, maps.size, [&](const Place& place, long long i) {
    int pixel = (place.at[0] * maps.size[1] + place.at[1]) * maps.size[2] + place.at[2];
    long long begin = begin_of(maps, maps.out, place);
    Pack<T, LANES> made = {};
    each_pixel(
        maps.out, windows_in_reach(maps, reach, 0, place.at[0]),
        windows_in_reach(maps, reach, 1, place.at[1]), windows_in_reach(maps, reach, 2, place.at[2]),
        [&](int window) {
          long long k = begin + (long long)window * maps.channels;
          Pack<int, LANES> pixels = load<LANES>(indices + k);
          Pack<T, LANES> numbers = load<LANES>(x + k);
#pragma unroll
          for (int c = 0; c < LANES; ++c) {
            if (pixels.lane[c] == pixel) made.lane[c] = keep(made.lane[c], numbers.lane[c]);
          }
        });
    store(y + i, made);
  });
}

template <typename T>
__global__ void pool_scatter(const T* x, const int* indices, const int* reach, T* y, Maps maps) {
  with_lanes<T>(maps.lanes, [&](auto lanes) {
    put_back(lanes, x, indices, reach, y, maps, [](T sum, T number) { return sum + number; });
  });
}

template <typename T>
__global__ void unpool(const T* x, const int* indices, const int* reach, T* y, Maps maps) {
  with_lanes<T>(maps.lanes, [&](auto lanes) {
    put_back(lanes, x, indices, reach, y, maps, [](T, T number) { return number; });
  });
}
