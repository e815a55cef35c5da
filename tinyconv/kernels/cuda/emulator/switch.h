// From one stack to another: what a processor must keep is pushed, the stack pointer is exchanged.
#pragma once

extern "C" void switch_stacks(void** keep, void* next);

#if defined(__x86_64__)
__asm__(
    ".text\n.globl switch_stacks\n.hidden switch_stacks\n.type switch_stacks,@function\nswitch_stacks:\n"
    "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n  ret\n"
    ".size switch_stacks,.-switch_stacks\n");

inline void* first_frame(char* top, void (*function)()) {
  void** frame = (void**)((uintptr_t)top & ~(uintptr_t)15) - 8;
  memset(frame, 0, 8 * sizeof(void*));
  frame[6] = (void*)function;  // six registers, then where to return to
  return frame;
}

#elif defined(__aarch64__)
__asm__(
    ".text\n.globl switch_stacks\n.hidden switch_stacks\n.type switch_stacks,%function\nswitch_stacks:\n"
    "  sub sp, sp, #160\n"
    "  stp x19, x20, [sp]\n  stp x21, x22, [sp, #16]\n  stp x23, x24, [sp, #32]\n"
    "  stp x25, x26, [sp, #48]\n  stp x27, x28, [sp, #64]\n  stp x29, x30, [sp, #80]\n"
    "  stp d8, d9, [sp, #96]\n  stp d10, d11, [sp, #112]\n"
    "  stp d12, d13, [sp, #128]\n  stp d14, d15, [sp, #144]\n"
    "  mov x9, sp\n  str x9, [x0]\n  mov sp, x1\n"
    "  ldp x19, x20, [sp]\n  ldp x21, x22, [sp, #16]\n  ldp x23, x24, [sp, #32]\n"
    "  ldp x25, x26, [sp, #48]\n  ldp x27, x28, [sp, #64]\n  ldp x29, x30, [sp, #80]\n"
    "  ldp d8, d9, [sp, #96]\n  ldp d10, d11, [sp, #112]\n"
    "  ldp d12, d13, [sp, #128]\n  ldp d14, d15, [sp, #144]\n"
    "  add sp, sp, #160\n  ret\n"
    ".size switch_stacks,.-switch_stacks\n");

inline void* first_frame(char* top, void (*function)()) {
  void** frame = (void**)((uintptr_t)top & ~(uintptr_t)15) - 20;
  memset(frame, 0, 20 * sizeof(void*));
  frame[11] = (void*)function;  // x30, where `ret` goes
  return frame;
}

#else
#include <ucontext.h>

struct Fiber {
  ucontext_t context;
};

inline void* first_frame(char* top, void (*function)()) {  // the context lies at the top of its own stack
  char* end = (char*)(((uintptr_t)top - sizeof(Fiber)) & ~(uintptr_t)63);
  Fiber* fiber = (Fiber*)end;
  getcontext(&fiber->context);
  fiber->context.uc_stack.ss_sp = end - 96 * 1024;
  fiber->context.uc_stack.ss_size = 96 * 1024;
  fiber->context.uc_link = nullptr;
  makecontext(&fiber->context, function, 0);
  return fiber;
}

extern "C" void switch_stacks(void** keep, void* next) {
  Fiber here;
  *keep = &here;
  swapcontext(&here.context, &((Fiber*)next)->context);
}
#endif
