// What the kernels of this folder share. It includes nothing: NVRTC has no C++ library.
#pragma once

// ---- one walk over memory ----------------------------------------------------------------------
//
// A grid-stride loop: a grid of any size covers an array of any size, and neighbouring threads always
// touch neighbouring elements, so that a warp's 32 loads become a few wide ones. Two blocks of four
// threads over ten elements (block.thread):
//
//   element   0   1   2   3   4   5   6   7   8   9
//   thread   0.0 0.1 0.2 0.3 1.0 1.1 1.2 1.3 0.0 0.1

template <typename Work>
__device__ void for_each(long long count, Work work) {
  long long step = (long long)gridDim.x * blockDim.x;
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) work(i);
}

// out[i] = formula(a[i])
template <typename T, typename Formula>
__device__ void map1(const T* a, T* out, long long count, Formula formula) {
  for_each(count, [=](long long i) { out[i] = formula(a[i]); });
}

// out[i] = formula(a[i], b[i])
template <typename T, typename Formula>
__device__ void map2(const T* a, const T* b, T* out, long long count, Formula formula) {
  for_each(count, [=](long long i) { out[i] = formula(a[i], b[i]); });
}

// ---- sums --------------------------------------------------------------------------------------
//
// Each step adds what the lane at a distance has: 16 lanes away, then 8, 4, 2 and 1. After five steps
// every lane has the sum of 32, added in one order that never changes.

template <typename T>
__device__ T warp_sum(T value) {
  for (int distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(0xffffffffu, value, distance);
  return value;
}

template <typename T>
__device__ T warp_max(T value) {  // of NaN nothing is promised
  for (int distance = 16; distance > 0; distance /= 2) {
    T other = __shfl_xor_sync(0xffffffffu, value, distance);
    value = value < other ? other : value;
  }
  return value;
}

// The sum over a block of whole warps, in all of its threads. All must call it; `scratch` is 33 numbers of
// shared memory.
template <typename T>
__device__ T block_sum(T value, T* scratch) {
  int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  int threads = blockDim.x * blockDim.y * blockDim.z;
  value = warp_sum(value);
  if (thread % 32 == 0) scratch[thread / 32] = value;
  __syncthreads();
  if (thread == 0) {
    T total = scratch[0];
    for (int warp = 1; warp < threads / 32; warp++) total += scratch[warp];
    scratch[32] = total;
  }
  __syncthreads();
  value = scratch[32];
  __syncthreads();  // before anybody writes to `scratch` again
  return value;
}

// ---- random numbers ----------------------------------------------------------------------------
//
// Philox4x32-10 (Salmon et al. 2011): ten rounds of multiply-and-swap turn a counter of four words into
// four random words. There is no state: whoever wants word i computes it.

struct Words {
  unsigned word[4];
};

__device__ inline Words philox(unsigned long long counter, unsigned long long call, unsigned long long seed) {
  unsigned c0 = (unsigned)counter, c1 = (unsigned)(counter >> 32);
  unsigned c2 = (unsigned)call, c3 = (unsigned)(call >> 32);
  unsigned k0 = (unsigned)seed, k1 = (unsigned)(seed >> 32);
  for (int round = 0; round < 10; round++) {
    unsigned high0 = __umulhi(0xD2511F53u, c0), low0 = 0xD2511F53u * c0;
    unsigned high1 = __umulhi(0xCD9E8D57u, c2), low1 = 0xCD9E8D57u * c2;
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

// ---- tensor cores ------------------------------------------------------------------------------
//
// D += A B for a whole warp: A is 16 x k, B is k x 8, D is 16 x 8, and each lane holds a few numbers of
// each. With group = lane / 4 and member = lane % 4 (PTX: mma.m16n8k8 and mma.m16n8k16):
//
//   D: d[0] (group, 2 member)    d[1] (group, 2 member + 1)    d[2], d[3] the same, 8 rows below
//   tf32, k = 8:   a[0] (group, member)  a[1] 8 rows below  a[2], a[3] the same, 4 columns to the right
//                  b[0] (member, group)  b[1] 4 rows below
//   bf16, k = 16:  a[0] (group, 2 member and 2 member + 1)  a[1] 8 rows below
//                  a[2], a[3] the same, 8 columns to the right
//                  b[0] (2 member and 2 member + 1, group)  b[1] 8 rows below
//
// A bf16 pair has the number of the lower index in its lower half. Sums are kept in float32. GPUs before
// compute capability 8.0 have neither: there these end the kernel, and Python must choose another one.

#if defined(CUDA_EMULATOR)

__device__ inline unsigned to_tf32(float x) {
  unsigned bits = __float_as_uint(x);
  return (bits & 0x7f800000u) == 0x7f800000u ? bits : (bits + 0x1000u) & 0xffffe000u;
}
__device__ inline unsigned to_bf16(float x) {  // to the nearest, halves to the even one
  unsigned bits = __float_as_uint(x);
  return x != x ? 0x7fffu : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}
__device__ inline unsigned to_bf16_pair(float low, float high) { return to_bf16(low) | to_bf16(high) << 16; }
__device__ inline void mma_m16n8k8_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2],
                                        int line = __builtin_LINE()) {
  emulator::product(emulator::PRODUCT_TF32, d, a, b, line);
}
__device__ inline void mma_m16n8k16_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2],
                                         int line = __builtin_LINE()) {
  emulator::product(emulator::PRODUCT_BF16, d, a, b, line);
}

#elif __CUDA_ARCH__ >= 800

__device__ inline unsigned to_tf32(float x) {
  unsigned bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return bits;
}
__device__ inline unsigned to_bf16_pair(float low, float high) {
  unsigned pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}
__device__ inline void mma_m16n8k8_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
__device__ inline void mma_m16n8k16_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

#else

__device__ inline unsigned to_tf32(float) { return 0; }
__device__ inline unsigned to_bf16_pair(float, float) { return 0; }
__device__ inline void mma_m16n8k8_tf32(float (&)[4], const unsigned (&)[4], const unsigned (&)[2]) { __trap(); }
__device__ inline void mma_m16n8k16_bf16(float (&)[4], const unsigned (&)[4], const unsigned (&)[2]) { __trap(); }

#endif
