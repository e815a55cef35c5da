// RoIAlign: regions of images, given by boxes, resampled to one size.
//
// Forward, one thread has one channel of one bin: it looks at a grid of points in the bin, each between
// four pixels. Backward, one thread has one channel of one pixel and asks all boxes of its image for the
// bins whose points lie less than a pixel away. No thread writes what another one writes.
//
//   +-----+-----+
//   | . . | . . |      2 x 2 bins of a box, 2 x 2 points in each
//   | . . | . . |
//   +-----+-----+      pixels lie at whole numbers, anyhow to the box
//   | . . | . . |
//   | . . | . . |
//   +-----+-----+
//
// Arrays are (N, H, W, C) and (K, P, Q, C) in memory, boxes (K, 5): image, x1, y1, x2, y2.
#include "rows.cuh"

// The same numbers as REGIONS in roi_align.py. size: H, W; bins: P, Q; samples: 0 for what fits.
struct Regions {
  int boxes, images, channels;
  int size[2], bins[2];
  int samples, aligned;
};

// One direction of a box: where it begins, how long a bin is, how many points a bin has.
template <typename T>
struct Side {
  T start, step;
  int points;
};

template <typename T>
__device__ Side<T> side_of_box(const T* box, T scale, const Regions& r, int axis) {
  const T* corners = box + 2 - axis;  // y1 for axis 0, x1 for axis 1
  T start = corners[0] * scale, length = corners[2] * scale - start;
  start -= r.aligned ? T(0.5) : T(0);
  if (!r.aligned && length < T(1)) length = 1;
  T step = length / (T)r.bins[axis];
  return {start, step, r.samples > 0 ? r.samples : (int)ceil(step)};
}

// A point between the pixels `before` and `after`, `share` of the way; or more than a pixel outside.
template <typename T>
struct Point {
  int before, after;
  T share;
  bool inside;
};

template <typename T>
__device__ Point<T> point_of_bin(const Side<T>& side, int bin, int number, int pixels) {
  T at = side.start + (bin + (number + T(0.5)) / side.points) * side.step;
  bool inside = at >= T(-1) && at <= (T)pixels;
  at = at > T(0) ? at : T(0);
  int before = inside ? min((int)at, pixels - 1) : 0;
  return {before, min(before + 1, pixels - 1), before == pixels - 1 ? T(0) : at - before, inside};
}

template <typename T>
__global__ void roi_align(const T* x, const T* boxes, T* y, T scale, Regions r) {
  along_rows(r.boxes * r.bins[0], (long long)r.bins[1] * r.channels, [&](int row, long long i) {
    const T* box = boxes + 5 * (row / r.bins[0]);
    int height = r.size[0], width = r.size[1], channels = r.channels;
    Side<T> down = side_of_box(box, scale, r, 0), across = side_of_box(box, scale, r, 1);
    const T* image = x + (long long)box[0] * height * width * channels + i % channels;
    T total = 0;
    for (int v = 0; v < down.points; ++v) {
      Point<T> high = point_of_bin(down, row % r.bins[0], v, height);
      if (!high.inside) continue;
      const T* above = image + (long long)high.before * width * channels;
      const T* below = image + (long long)high.after * width * channels;
      for (int u = 0; u < across.points; ++u) {
        Point<T> wide = point_of_bin(across, (int)i / channels, u, width);
        if (!wide.inside) continue;
        int left = wide.before * channels, right = wide.after * channels;
        T upper = above[left] * (1 - wide.share) + above[right] * wide.share;
        T lower = below[left] * (1 - wide.share) + below[right] * wide.share;
        total += upper * (1 - high.share) + lower * high.share;
      }
    }
    y[row * (long long)r.bins[1] * channels + i] = total / (T)max(down.points * across.points, 1);
  });
}

// How much a pixel counts in a bin.
template <typename T>
__device__ T weight_of_pixel(const Side<T>& side, int bin, int pixel, int pixels) {
  T weight = 0;
  for (int number = 0; number < side.points; ++number) {
    Point<T> point = point_of_bin(side, bin, number, pixels);
    if (!point.inside) continue;
    if (point.before == pixel) weight += 1 - point.share;
    if (point.after == pixel) weight += point.share;
  }
  return weight / (T)max(side.points, 1);
}

// The bin in which a coordinate lies, or the one before it, or the border bin on its side.
template <typename T>
__device__ int bin_near(const Side<T>& side, T at, int bins) {
  T bin = floor((at - side.start) / side.step);
  return bin < T(0) ? 0 : bin > T(bins - 1) ? bins - 1 : (int)bin;
}

template <typename T>
__global__ void roi_align_backward(const T* grad, const T* boxes, T* out, T scale, Regions r) {
  along_rows(r.images * r.size[0], (long long)r.size[1] * r.channels, [&](int row, long long i) {
    int image = row / r.size[0], pixel[2] = {row % r.size[0], (int)i / r.channels};
    T total = 0;
    for (int k = 0; k < r.boxes; ++k) {
      const T* box = boxes + 5 * k;
      if ((int)box[0] != image) continue;
      int first[2], last[2];
      Side<T> sides[2] = {side_of_box(box, scale, r, 0), side_of_box(box, scale, r, 1)};
      for (int axis = 0; axis < 2; ++axis) {
        bool forwards = sides[axis].step > T(0);  // a box from right to left has bins all over
        first[axis] = forwards ? bin_near(sides[axis], pixel[axis] - T(1.01), r.bins[axis]) : 0;
        last[axis] = forwards ? bin_near(sides[axis], pixel[axis] + T(1.01), r.bins[axis]) : r.bins[axis] - 1;
      }
      for (int p = first[0]; p <= last[0]; ++p) {
        T high = weight_of_pixel(sides[0], p, pixel[0], r.size[0]);
        if (high == T(0)) continue;
        for (int q = first[1]; q <= last[1]; ++q) {
          T wide = weight_of_pixel(sides[1], q, pixel[1], r.size[1]);
          long long bin = ((long long)k * r.bins[0] + p) * r.bins[1] + q;
          if (wide != T(0)) total += high * wide * grad[bin * r.channels + i % r.channels];
        }
      }
    }
    out[row * (long long)r.size[1] * r.channels + i] = total;
  });
}
