// Whose memory an access touches: of arrays, of shared variables, or of nobody. A part of runtime.cpp.
#pragma once

namespace {

const Range* holding(const std::vector<Range>& ranges, uintptr_t address) {
  auto after = std::upper_bound(ranges.begin(), ranges.end(), address,
                                [](uintptr_t a, const Range& range) { return a < range.begin; });
  return after == ranges.begin() ? nullptr : &*(after - 1);
}

void outside(uintptr_t address, size_t size, bool writes, const void* from, const char* what, const Range* near) {
  const char* verb = writes ? "writes" : "reads";
  unsigned long offset = (unsigned long)((const char*)from - __ehdr_start);
  if (near) {
    fail("%s %zu bytes outside of %s: %lld bytes behind the end of %zu bytes [code at 0x%lx]", verb, size, what,
         (long long)(address - near->end), (size_t)(near->end - near->begin), offset);
  } else {
    fail("%s %zu bytes outside of %s [code at 0x%lx]", verb, size, what, offset);
  }
}

void check_race(uintptr_t address, size_t size, bool writes, const void* from) {
  for (size_t i = 0; i < size; i += 4) {
    long other = races::touch(address + i - (uintptr_t)__bss_start, writes, current->number);
    if (other < 0) continue;
    fail("%s shared memory that thread number %ld has used since the last barrier: a race [code at 0x%lx]",
         writes ? "writes to" : "reads", other, (unsigned long)((const char*)from - __ehdr_start));
  }
}

template <typename Variable>
bool is_in(uintptr_t address, const Variable& variable) {
  return address - (uintptr_t)&variable < sizeof variable;
}

void check_variable(uintptr_t address, size_t size, bool writes, const void* from) {
  uintptr_t dynamic = address - (uintptr_t)dynamic_shared_memory;
  if (dynamic < MOST_SHARED) {
    Range all{(uintptr_t)dynamic_shared_memory, (uintptr_t)dynamic_shared_memory + dynamic_shared};
    if (dynamic + size > dynamic_shared) return outside(address, size, writes, from, "dynamic shared memory", &all);
    return check_race(address, size, writes, from);
  }
  const Range* variable = holding(variables(), address);
  if (variable && address + size <= variable->end) {
    if (is_unset(address)) check_race(address, size, writes, from);
    return;
  }
  bool known = is_in(address, threadIdx) || is_in(address, blockIdx) || is_in(address, blockDim) ||
               is_in(address, gridDim) || !is_unset(address);
  if (!known) outside(address, size, writes, from, "a shared array", variable);
}

void check(const void* pointer, size_t size, bool writes, const void* from) {
  uintptr_t address = (uintptr_t)pointer, end = address + size;
  if (!current || address - (uintptr_t)stacks < MOST_THREADS * STACK) return;
  if (address % size && (size & (size - 1)) == 0) {
    fail("%s %zu bytes at an address that is no multiple of %zu [code at 0x%lx]", writes ? "writes" : "reads", size,
         size, (unsigned long)((const char*)from - __ehdr_start));
  }
  if (address >= last_array.begin && end <= last_array.end) return;
  if (pointer >= (const void*)__ehdr_start && pointer < (const void*)_end) {
    return check_variable(address, size, writes, from);
  }
  const Range* array = holding(arrays, address);
  if (!array || end > array->end) return outside(address, size, writes, from, "every array", array);
  last_array = *array;
}

}  // namespace

// The compiler puts a call of one of these before every load and store of a kernel.
#define CHECKED(size)                                                                                             \
  extern "C" void __asan_load##size##_noabort(void* p) { check(p, size, false, __builtin_return_address(0)); }    \
  extern "C" void __asan_store##size##_noabort(void* p) { check(p, size, true, __builtin_return_address(0)); }
CHECKED(1)
CHECKED(2)
CHECKED(4)
CHECKED(8)
CHECKED(16)
extern "C" void __asan_loadN_noabort(void* p, size_t n) { check(p, n, false, __builtin_return_address(0)); }
extern "C" void __asan_storeN_noabort(void* p, size_t n) { check(p, n, true, __builtin_return_address(0)); }
extern "C" void __asan_handle_no_return() {}

struct Variable {  // as the compiler lays it out
  uintptr_t begin, size, size_with_gap, name, module, has_dynamic_init, location, odr;
};

extern "C" void __asan_register_globals(Variable* first, size_t count) {
  std::vector<Range>& all = variables();
  for (size_t i = 0; i < count; i++) all.push_back({first[i].begin, first[i].begin + first[i].size});
  std::sort(all.begin(), all.end(), [](Range a, Range b) { return a.begin < b.begin; });
}
extern "C" void __asan_unregister_globals(Variable*, size_t) {}
