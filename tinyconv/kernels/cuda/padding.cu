// Padding with a constant, and cropping: one thread has one number of the result, or what fits into 16 bytes.
//
// The array is seen as images of up to three dimensions with `inner` numbers in each pixel, and as many
// images as there are. The thread asks whether its pixel, less what was added before, is a pixel of x.
//
//   x            a b c               before 2, after 1
//   y        v v a b c v             pixel 3 of y is pixel 3 - 2 = 1 of x
#include "rows.cuh"

// The same numbers as BORDERS in padding.py.
struct Borders {
  int size[3], out[3], before[3];
  int images, inner, lanes;
};

template <int LANES, typename T>
__device__ void pad_images(Lanes<LANES>, const T* x, T* y, T value, const Borders& b) {
  int groups = b.inner / LANES;
  long long length = (long long)b.out[2] * groups;
  Pack<T, LANES> border;
  for (int c = 0; c < LANES; ++c) border.lane[c] = value;
  along_rows(b.images * b.out[0] * b.out[1], length, [&](int row, long long i) {
    int at[3] = {row / b.out[1] % b.out[0], row % b.out[1], (int)i / groups};
    bool inside = true;
    long long pixel = row / b.out[1] / b.out[0];
    for (int axis = 0; axis < 3; ++axis) {
      int place = at[axis] - b.before[axis];
      inside = inside && place >= 0 && place < b.size[axis];
      pixel = pixel * b.size[axis] + place;
    }
    const T* source = x + (pixel * groups + (int)i % groups) * LANES;
    store(y + (row * length + i) * LANES, inside ? load<LANES>(source) : border);
  });
}

template <typename T>
__global__ void pad(const T* x, T* y, T value, Borders b) {
  with_lanes<T>(b.lanes, [&](auto lanes) { pad_images(lanes, x, y, value, b); });
}
