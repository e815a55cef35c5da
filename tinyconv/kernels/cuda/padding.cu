// Padding with a constant, and cropping: one thread has one number of the result.
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
  int images, inner;
};

template <typename T>
__global__ void pad(const T* x, T* y, T value, Borders b) {
  long long length = (long long)b.out[2] * b.inner;
  along_rows(b.images * b.out[0] * b.out[1], length, [&](int row, long long i) {
    int image = row / b.out[1] / b.out[0];
    int at[3] = {row / b.out[1] % b.out[0], row % b.out[1], (int)i / b.inner};
    bool inside = true;
    long long pixel = image;
    for (int axis = 0; axis < 3; ++axis) {
      int place = at[axis] - b.before[axis];
      inside = inside && place >= 0 && place < b.size[axis];
      pixel = pixel * b.size[axis] + place;
    }
    y[row * length + i] = inside ? x[pixel * b.inner + (int)i % b.inner] : value;
  });
}
