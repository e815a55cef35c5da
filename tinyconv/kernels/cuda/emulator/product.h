// What a warp's matrix product is, from the parts that its lanes bring.
#pragma once

namespace product {

inline float tf32(unsigned bits) { return emulated_bits<float>(bits & 0xffffe000u); }
inline float bf16(unsigned pair, unsigned which) { return emulated_bits<float>(which ? pair & 0xffff0000u : pair << 16); }

// The part of a 16 x k matrix A, a k x 8 matrix B and a 16 x 8 matrix D that each lane holds is that of
// PTX's mma.m16n8k8 (tf32) and mma.m16n8k16 (bf16): lane = 4 * group + member.
inline void multiply(const emulator::Request* const (&lanes)[32], bool is_tf32) {
  unsigned k = is_tf32 ? 8 : 16;
  float a[16][16], b[16][8];
  for (unsigned lane = 0; lane < 32; lane++) {
    unsigned group = lane / 4, member = lane % 4;
    const emulator::Request& r = *lanes[lane];
    for (unsigned i = 0; i < 4; i++) {
      unsigned row = group + i % 2 * 8;
      if (is_tf32) {
        a[row][member + i / 2 * 4] = tf32(r.a[i]);
      } else {
        for (unsigned j = 0; j < 2; j++) a[row][member * 2 + j + i / 2 * 8] = bf16(r.a[i], j);
      }
    }
    for (unsigned i = 0; i < 2; i++) {
      if (is_tf32) {
        b[member + i * 4][group] = tf32(r.b[i]);
      } else {
        for (unsigned j = 0; j < 2; j++) b[member * 2 + j + i * 8][group] = bf16(r.b[i], j);
      }
    }
  }
  for (unsigned lane = 0; lane < 32; lane++) {
    for (unsigned i = 0; i < 4; i++) {
      unsigned row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
      double sum = lanes[lane]->d[i];
      for (unsigned j = 0; j < k; j++) sum += (double)a[row][j] * b[j][column];
      lanes[lane]->d[i] = (float)sum;
    }
  }
}

}  // namespace product
