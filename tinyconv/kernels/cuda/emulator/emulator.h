// CUDA C++ on a processor: what a .cu file finds here in the place of a GPU.
//
// A block's threads are fibers. One runs until it ends or meets a barrier, a shuffle, a vote or a
// matrix product of its warp; then the next one runs. When all have come, all go on. Blocks run one
// after the other. So there is no speed in this, but every thread does what it would do on a GPU.
//
// Each access to memory is compiled into a call of runtime.cpp, which knows the arrays and the shared
// memory and refuses what is outside of them.
#pragma once

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <type_traits>
#include <utility>

#define CUDA_EMULATOR 1
#define EXPORTED __attribute__((visibility("default")))

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)  // see build.py
#define __grid_constant__
#define __align__(bytes) alignas(bytes)
#define __constant__ static const
#define __shared__ static

// ---- where a thread is -------------------------------------------------------------------------

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

#ifdef EMULATOR_RUNTIME
#define KERNELS_MUST_NOT_WRITE
#else
#define KERNELS_MUST_NOT_WRITE const
#endif
extern KERNELS_MUST_NOT_WRITE uint3 threadIdx, blockIdx;
extern KERNELS_MUST_NOT_WRITE dim3 blockDim, gridDim;
constexpr int warpSize = 32;

constexpr unsigned long MOST_SHARED = 227 * 1024;
alignas(128) extern unsigned char dynamic_shared_memory[MOST_SHARED];  // `extern __shared__` of all kernels

// ---- what threads do together ------------------------------------------------------------------

namespace emulator {

enum Operation { BLOCK_BARRIER, WARP_BARRIER, EXCHANGE, VOTE, PRODUCT_TF32, PRODUCT_BF16 };

struct Request {  // what a thread waits for, what it brings, and what it gets
  Operation operation;
  int line;
  unsigned mask;             // the lanes that take part
  unsigned long long value;  // brought, and got
  unsigned source;           // the lane whose value is wanted
  const unsigned *a, *b;     // the thread's part of a matrix product
  float* d;
};

void wait(Request& request);  // returns when all have come
void stay_within(unsigned threads);  // what `__launch_bounds__` promises of a block
unsigned lane();

template <typename T>
T exchange(unsigned mask, T value, unsigned source, int line) {
  static_assert(sizeof(T) <= sizeof(unsigned long long), "a shuffle carries at most 8 bytes");
  Request request{EXCHANGE, line, mask, 0, source, nullptr, nullptr, nullptr};
  memcpy(&request.value, &value, sizeof value);
  wait(request);
  memcpy(&value, &request.value, sizeof value);
  return value;
}

inline unsigned vote(unsigned mask, bool yes, int line) {
  Request request{VOTE, line, mask, yes, 0, nullptr, nullptr, nullptr};
  wait(request);
  return (unsigned)request.value;
}

inline unsigned count_in_block(bool yes, int line) {
  Request request{BLOCK_BARRIER, line, 0, yes, 0, nullptr, nullptr, nullptr};
  wait(request);
  return (unsigned)request.value;
}

inline void product(Operation kind, float* d, const unsigned* a, const unsigned* b, int line) {
  Request request{kind, line, 0xffffffff, 0, 0, a, b, d};
  wait(request);
}

}  // namespace emulator

inline void __syncthreads(int line = __builtin_LINE()) { emulator::count_in_block(false, line); }
inline int __syncthreads_count(int yes, int line = __builtin_LINE()) {
  return (int)emulator::count_in_block(yes, line);
}
inline int __syncthreads_or(int yes, int line = __builtin_LINE()) {
  return emulator::count_in_block(yes, line) > 0;
}
inline int __syncthreads_and(int yes, int line = __builtin_LINE()) {
  return emulator::count_in_block(!yes, line) == 0;
}
inline void __syncwarp(unsigned mask = 0xffffffff, int line = __builtin_LINE()) {
  emulator::Request request{emulator::WARP_BARRIER, line, mask, 0, 0, nullptr, nullptr, nullptr};
  emulator::wait(request);
}
inline void __threadfence() {}
inline void __threadfence_block() {}

template <typename T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, int line = __builtin_LINE()) {
  unsigned first = emulator::lane() & ~(unsigned)(width - 1);
  return emulator::exchange(mask, value, first + ((unsigned)source & (width - 1)), line);
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, int line = __builtin_LINE()) {
  unsigned lane = emulator::lane(), place = lane & (width - 1);
  return emulator::exchange(mask, value, place >= delta ? lane - delta : lane, line);
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, int line = __builtin_LINE()) {
  unsigned lane = emulator::lane(), place = lane & (width - 1);
  return emulator::exchange(mask, value, place + delta < (unsigned)width ? lane + delta : lane, line);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, int line = __builtin_LINE()) {
  unsigned lane = emulator::lane(), other = lane ^ (unsigned)bits;
  return emulator::exchange(mask, value, other > (lane | (width - 1)) ? lane : other, line);
}
inline unsigned __ballot_sync(unsigned mask, int yes, int line = __builtin_LINE()) {
  return emulator::vote(mask, yes, line);
}
inline int __any_sync(unsigned mask, int yes, int line = __builtin_LINE()) {
  return emulator::vote(mask, yes, line) != 0;
}
inline int __all_sync(unsigned mask, int yes, int line = __builtin_LINE()) {
  return emulator::vote(mask, !yes, line) == 0;
}

// ---- atomics: one thread runs at a time, so a plain update is one -------------------------------

namespace emulator {

struct Atomic {  // while it lives, accesses are no race
  Atomic();
  ~Atomic();
};

}  // namespace emulator

#define EMULATE_ATOMIC(name, formula)             \
  template <typename T>                           \
  T name(T* place, std::common_type_t<T> value) { \
    emulator::Atomic atomic;                      \
    T old = *place;                               \
    *place = formula;                             \
    return old;                                   \
  }
EMULATE_ATOMIC(atomicAdd, old + value)
EMULATE_ATOMIC(atomicSub, old - value)
EMULATE_ATOMIC(atomicExch, value)
EMULATE_ATOMIC(atomicMax, old < value ? value : old)
EMULATE_ATOMIC(atomicMin, value < old ? value : old)
EMULATE_ATOMIC(atomicAnd, old& value)
EMULATE_ATOMIC(atomicOr, old | value)
EMULATE_ATOMIC(atomicXor, old ^ value)
#undef EMULATE_ATOMIC

template <typename T>
T atomicCAS(T* place, std::common_type_t<T> expected, std::common_type_t<T> value) {
  emulator::Atomic atomic;
  T old = *place;
  if (old == expected) *place = value;
  return old;
}

// ---- vectors of numbers ------------------------------------------------------------------------

// Their alignment is CUDA's: a GPU reads four floats at once only from a multiple of 16 bytes.
#define EMULATE_VECTORS(T, name)                                             \
  struct alignas(2 * sizeof(T)) name##2 {                                    \
    T x, y;                                                                  \
  };                                                                         \
  struct alignas(sizeof(T) < 8 ? 4 * sizeof(T) : 16) name##4 {               \
    T x, y, z, w;                                                            \
  };                                                                         \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; }                 \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
EMULATE_VECTORS(float, float)
EMULATE_VECTORS(double, double)
EMULATE_VECTORS(int, int)
EMULATE_VECTORS(unsigned, uint)
EMULATE_VECTORS(unsigned char, uchar)
EMULATE_VECTORS(unsigned short, ushort)
EMULATE_VECTORS(long long, longlong)
#undef EMULATE_VECTORS
struct float3 {
  float x, y, z;
};
struct int3 {
  int x, y, z;
};
inline float3 make_float3(float x, float y, float z) { return {x, y, z}; }
inline int3 make_int3(int x, int y, int z) { return {x, y, z}; }

// ---- numbers -----------------------------------------------------------------------------------

#define EMULATE_EXTREMES(T)                            \
  inline T min(T a, T b) { return b < a ? b : a; }     \
  inline T max(T a, T b) { return a < b ? b : a; }
EMULATE_EXTREMES(int)
EMULATE_EXTREMES(unsigned)
EMULATE_EXTREMES(long)
EMULATE_EXTREMES(unsigned long)
EMULATE_EXTREMES(long long)
EMULATE_EXTREMES(unsigned long long)
#undef EMULATE_EXTREMES
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

template <typename To, typename From>
To emulated_bits(From value) {
  static_assert(sizeof(To) == sizeof(From), "the same bits");
  To result;
  memcpy(&result, &value, sizeof result);
  return result;
}
inline unsigned __float_as_uint(float x) { return emulated_bits<unsigned>(x); }
inline int __float_as_int(float x) { return emulated_bits<int>(x); }
inline float __uint_as_float(unsigned x) { return emulated_bits<float>(x); }
inline float __int_as_float(int x) { return emulated_bits<float>(x); }
inline long long __double_as_longlong(double x) { return emulated_bits<long long>(x); }
inline double __longlong_as_double(long long x) { return emulated_bits<double>(x); }

inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((unsigned long long)a * b >> 32); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
inline int __ffs(int x) { return __builtin_ffs(x); }

inline float rsqrtf(float x) { return 1 / sqrtf(x); }
inline double rsqrt(double x) { return 1 / sqrt(x); }
inline float rsqrt(float x) { return rsqrtf(x); }
inline float normcdff(float x) { return 0.5f * erfcf(x * -0.70710678118654752440f); }
inline double normcdf(double x) { return 0.5 * erfc(x * -0.70710678118654752440); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __fmul_rn(float a, float b) { return a * b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __frcp_rn(float a) { return 1 / a; }
inline int __float2int_rn(float x) { return (int)rintf(x); }
inline int __float2int_rd(float x) { return (int)floorf(x); }

template <typename T>
T __ldg(const T* place) {
  return *place;
}

// ---- a launch ----------------------------------------------------------------------------------

namespace emulator {

struct Shape {
  unsigned grid[3], block[3];
  unsigned long long shared;
};

const char* run(const Shape& shape, void (*call)(void*, void**), void* kernel, void** arguments);

template <typename T>
void write_type(char*& out) {
  using Plain = std::remove_cv_t<T>;
  if constexpr (std::is_pointer_v<Plain>) {
    *out++ = '*';
    write_type<std::remove_pointer_t<Plain>>(out);
  } else if constexpr (std::is_void_v<Plain>) {
    *out++ = 'v';
  } else {
    char kind = std::is_same_v<Plain, bool>         ? 'b'
                : std::is_floating_point_v<Plain>   ? 'f'
                : !std::is_integral_v<Plain>        ? 's'
                : std::is_signed_v<Plain>           ? 'i'
                                                    : 'u';
    out += sprintf(out, "%c%u", kind, (unsigned)sizeof(Plain));
  }
}

template <typename... Parameters>
struct Caller {
  template <size_t... I>
  __attribute__((no_sanitize("kernel-address"))) static void spread(void* kernel, void** arguments,
                                                                    std::index_sequence<I...>) {
    ((void (*)(Parameters...))kernel)(*(std::remove_cv_t<Parameters>*)arguments[I]...);
  }
  static void call(void* kernel, void** arguments) {
    spread(kernel, arguments, std::index_sequence_for<Parameters...>());
  }
};

template <typename... Parameters>
const char* launch(void (*kernel)(Parameters...), const Shape* shape, void** arguments) {
  return run(*shape, Caller<Parameters...>::call, (void*)kernel, arguments);
}

template <typename... Parameters>
const char* signature(void (*)(Parameters...)) {
  static char text[16 * sizeof...(Parameters) + 1];
  char* out = text;
  ((write_type<Parameters>(out), *out++ = ' '), ...);
  *out = 0;
  return text;
}

}  // namespace emulator

#define EMULATED_KERNEL(number, ...)                                                                    \
  extern "C" EXPORTED const char* launch_##number(const emulator::Shape* shape, void** arguments) {              \
    return emulator::launch(__VA_ARGS__, shape, arguments);                                             \
  }                                                                                                     \
  extern "C" EXPORTED const char* signature_##number() { return emulator::signature(__VA_ARGS__); }
