// Normalisation: the mean and variance of each column (columns.cuh), then every number less its
// column's mean, divided by its column's deviation. And the way back: two sums, then every number.
//
//   1. pieces of columns      moments: how many numbers, their mean, their squares around it
//   2. columns                the moments of its pieces joined
//   3. numbers                y = (x - mean) / sqrt(var + eps) * weight + bias
//
// Step 3 reads the array once more, and writes it. A thread stays in one column all the time, so that
// it holds what belongs to the column in registers.
#include "columns.cuh"

// So many numbers are added up as they are, then the sum is added to a double.
constexpr int CHUNK = 16;

struct Moments {
  double count, mean, squares;
};

// Chan, Golub and LeVeque 1979: two means that differ add to the squares around the common one.
struct JoinMoments {
  __device__ Moments operator()(const Moments& a, const Moments& b) const {
    if (a.count == 0) return b;
    if (b.count == 0) return a;
    double count = a.count + b.count, apart = b.mean - a.mean;
    double mean = (a.count * a.mean + b.count * b.mean) / count;
    return {count, mean, a.squares + b.squares + apart * apart * (a.count * b.count / count)};
  }
};

// The mean of the first numbers of a strip that has some. Sums and squares of what differs from it lose no digits,
// however far from 0 the numbers are.
template <typename T>
__device__ T centre_of_strip(const T* x, const Columns& a, const Strip& strip) {
  T first = x[strip.begin + strip.row * a.inner], sum = 0;
  int count = 0;
  for (long long row = strip.row; row < strip.end && count < CHUNK; row += strip.step, ++count) {
    sum += x[strip.begin + row * a.inner] - first;
  }
  return first + sum / (T)count;
}

template <typename T>
__device__ Moments moments_of_strip(const T* x, const Columns& a, const Strip& strip) {
  if (strip.row >= strip.end) return {0, 0, 0};
  T centre = centre_of_strip(x, a, strip);
  double sum = 0, squares = 0, count = (double)((strip.end - strip.row + strip.step - 1) / strip.step);
  for (long long row = strip.row; row < strip.end;) {
    T part = 0, squares_of_part = 0;
#pragma unroll
    for (int k = 0; k < CHUNK; ++k, row += strip.step) {
      if (row >= strip.end) continue;
      T distance = x[strip.begin + row * a.inner] - centre;
      part += distance;
      squares_of_part += distance * distance;
    }
    sum += part;
    squares += squares_of_part;
  }
  double around_mean = squares - sum * sum / count;
  return {count, centre + sum / count, around_mean < 0 ? 0 : around_mean};
}

template <typename T>
__global__ void moments_of_pieces(const T* x, Moments* pieces, Columns a) {
  Strip strip = strip_of_thread(a);
  Moments moments = join_columns(moments_of_strip(x, a, strip), JoinMoments());
  if (strip.inside && threadIdx.y == 0) pieces[strip.column * gridDim.y + blockIdx.y] = moments;
}

// The pieces (columns, pieces) are a stack of matrices with one column each.
__global__ void join_moments(const Moments* pieces, double* mean, double* var, Columns a) {
  Strip strip = strip_of_thread(a);
  Moments moments = {0, 0, 0};
  for (long long row = strip.row; row < strip.end; row += strip.step) {
    moments = JoinMoments()(moments, pieces[strip.begin + row]);
  }
  moments = join_columns(moments, JoinMoments());
  if (strip.inside && threadIdx.y == 0) {
    mean[strip.column] = moments.mean;
    var[strip.column] = moments.squares / moments.count;
  }
}

// Replaces every number of a strip: out = formula(index of the number).
template <typename T, typename Formula>
__device__ void each_number(T* out, const Columns& a, const Strip& strip, Formula formula) {
#pragma unroll 4
  for (long long row = strip.row; row < strip.end; row += strip.step) {
    long long i = strip.begin + row * a.inner;
    out[i] = formula(i);
  }
}

// Weight and bias are null, or have a number for each column. The mean is subtracted in two parts,
// what a T can hold of it and the rest.
template <typename T>
__global__ void normalized(
    const T* x, const double* mean, const double* var, const T* weight, const T* bias, T* y, double eps,
    Columns a) {
  Strip strip = strip_of_thread(a);
  if (!strip.inside) return;
  long long c = strip.column;
  T high = (T)mean[c], low = (T)(mean[c] - high), shift = bias ? bias[c] : T(0);
  T factor = (T)(1 / sqrt(var[c] + eps)) * (weight ? weight[c] : T(1));
  each_number(y, a, strip, [=](long long i) { return ((x[i] - high) - low) * factor + shift; });
}

template <typename T>
__global__ void channel_affine(const T* x, const T* scale, const T* shift, T* y, Columns a) {
  Strip strip = strip_of_thread(a);
  if (!strip.inside) return;
  T factor = scale[strip.column], offset = shift[strip.column];
  each_number(y, a, strip, [=](long long i) { return x[i] * factor + offset; });
}

// A number per channel and pixel: the sum of its neighbours among the pixel's channels.
template <typename T>
__global__ void channel_window_sum(const T* x, T* y, long long before, long long after, Columns a) {
  Strip strip = strip_of_thread(a);
  long long first = max(-strip.column, -before), last = min(a.inner - 1 - strip.column, after);
  each_number(y, a, strip, [=](long long i) {
    T total = 0;
    for (long long k = first; k <= last; ++k) total += x[i + k];
    return total;
  });
}

struct Products {
  double total, product;
};

struct AddProducts {
  __device__ Products operator()(const Products& a, const Products& b) const {
    return {a.total + b.total, a.product + b.product};
  }
};

// Of each column the sum of grad, and that of grad * (x - mean); no mean is a mean of 0.
template <typename T>
__global__ void products_of_pieces(const T* grad, const T* x, const T* mean, Products* pieces, Columns a) {
  Strip strip = strip_of_thread(a);
  T centre = mean && strip.inside ? mean[strip.column] : T(0);
  Products sums = {0, 0};
  for (long long row = strip.row; row < strip.end;) {
    T total = 0, product = 0;
#pragma unroll
    for (int k = 0; k < CHUNK; ++k, row += strip.step) {
      if (row >= strip.end) continue;
      long long i = strip.begin + row * a.inner;
      total += grad[i];
      product += grad[i] * (x[i] - centre);
    }
    sums = {sums.total + total, sums.product + product};
  }
  sums = join_columns(sums, AddProducts());
  if (strip.inside && threadIdx.y == 0) pieces[strip.column * gridDim.y + blockIdx.y] = sums;
}

__global__ void join_products(const Products* pieces, double* totals, double* products, Columns a) {
  Strip strip = strip_of_thread(a);
  Products sums = {0, 0};
  for (long long row = strip.row; row < strip.end; row += strip.step) {
    sums = AddProducts()(sums, pieces[strip.begin + row]);
  }
  sums = join_columns(sums, AddProducts());
  if (strip.inside && threadIdx.y == 0) {
    totals[strip.column] = sums.total;
    products[strip.column] = sums.product;
  }
}

// With n numbers a column, s = sqrt(var + eps) and z = (x - mean) / s:
//
//   dweight = sum grad z      dbias = sum grad      dx = weight / s (grad - dbias / n - z dweight / n)
template <typename T>
__global__ void batch_norm_backward(
    const T* grad, const T* x, const T* mean, const T* var, const T* weight, const double* totals,
    const double* products, T* out, T* grad_weight, T* grad_bias, double eps, Columns a) {
  Strip strip = strip_of_thread(a);
  if (!strip.inside) return;
  long long c = strip.column;
  double per_deviation = 1 / sqrt(var[c] + eps), n = (double)a.summed;
  if (strip.row == 0) {
    grad_weight[c] = (T)(products[c] * per_deviation);
    grad_bias[c] = (T)totals[c];
  }
  T centre = mean[c], offset = (T)(totals[c] / n);
  T slope = (T)(products[c] * per_deviation * per_deviation / n);
  T factor = (T)(per_deviation * (weight ? weight[c] : T(1)));
  each_number(out, a, strip, [=](long long i) {
    return (grad[i] - offset - (x[i] - centre) * slope) * factor;
  });
}

// The same with gradients of mean and variance: offset and slope are of the column, per number.
//
//   dx = (grad - offset - y slope) / s
template <typename T>
__global__ void normalize_backward(
    const T* grad, const T* y, const double* offset, const double* slope, const double* deviation, T* out,
    Columns a) {
  Strip strip = strip_of_thread(a);
  if (!strip.inside) return;
  T base = (T)offset[strip.column], tilt = (T)slope[strip.column];
  T factor = (T)(1 / deviation[strip.column]);
  each_number(out, a, strip, [=](long long i) { return (grad[i] - base - y[i] * tilt) * factor; });
}
