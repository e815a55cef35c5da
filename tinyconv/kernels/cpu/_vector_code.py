"""Vector instructions for compiled kernels, written as LLVM code.

Neither NumPy nor Numba can promise that a sum stays in a vector register. The kernels that need
the promise (`microkernel.py`, `_winograd_transform.py`) are Numba intrinsics: Numba calls them while
it compiles a function that uses them, and they write LLVM code through an `Emitter`.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils, config, types

INDEX = ir.IntType(64)


def _vector_bytes() -> int:
    """Bytes of a vector register: of this machine, or of the one that NUMBA_CPU_FEATURES describes."""
    chosen = vars(config)["CPU_FEATURES"]
    known = llvm.get_host_cpu_features()
    features = {name for name, has in known.items() if has} if chosen is None else set(chosen.split(","))
    if features & {"avx512f", "+avx512f"}:
        return 64
    return 32 if features & {"avx2", "+avx2"} else 16


def has_32_registers() -> bool:
    return VECTOR_BYTES == 64 or not llvm.get_process_triple().startswith(("x86_64", "i686", "i386", "amd64"))


VECTOR_BYTES = _vector_bytes()


def lanes(itemsize: int) -> int:
    """How many numbers of that size one vector register holds."""
    return VECTOR_BYTES // itemsize


def lanes_for(columns: int, itemsize: int) -> int:
    """How many lanes to use for so many columns: half of them, if that is enough, in 64-byte registers."""
    full = lanes(itemsize)
    return full // 2 if VECTOR_BYTES == 64 and 2 * columns <= full else full


class Emitter:
    """The words in which vector code is written: load, store, broadcast, multiply and add.

    All vectors hold `width` numbers of one type; `fma` is the fused multiply-add.
    """

    def __init__(self, builder: Any, number: Any, width: int) -> None:
        self.builder = builder
        self.number = number
        self.align = 4 if isinstance(number, ir.FloatType) else 8
        self.width = width
        self.vector = ir.VectorType(number, width)
        suffix = f"v{width}f{8 * self.align}"
        signature = ir.FunctionType(self.vector, [self.vector] * 3)
        self.fma = cgutils.get_or_insert_function(builder.module, signature, f"llvm.fmuladd.{suffix}")
        mask = ir.VectorType(ir.IntType(1), width)
        signature = ir.FunctionType(
            ir.VoidType(), [self.vector, self.vector.as_pointer(), ir.IntType(32), mask]
        )
        self.masked = cgutils.get_or_insert_function(
            builder.module, signature, f"llvm.masked.store.{suffix}.p0"
        )
        signature = ir.FunctionType(
            self.vector, [self.vector.as_pointer(), ir.IntType(32), mask, self.vector]
        )
        self.masked_load = cgutils.get_or_insert_function(
            builder.module, signature, f"llvm.masked.load.{suffix}.p0"
        )

    def index(self, value: int) -> Any:
        return ir.Constant(INDEX, value)

    def table(self, table: Any, position: Any, count: int) -> list[Any]:
        """`count` offsets of a table, from `position` on."""
        first = self.builder.gep(table, [position])
        return [self.builder.load(self.builder.gep(first, [self.index(i)])) for i in range(count)]

    def _at(self, pointer: Any, vector: int) -> Any:
        place = self.builder.gep(pointer, [self.index(vector * self.width)])
        return self.builder.bitcast(place, self.vector.as_pointer())

    def load(self, pointer: Any, vector: int) -> Any:
        """Vector number `vector` from `pointer` on."""
        return self.builder.load(self._at(pointer, vector), align=self.align)

    def store(self, value: Any, pointer: Any, vector: int) -> None:
        self.builder.store(value, self._at(pointer, vector), align=self.align)

    def store_valid(self, value: Any, pointer: Any, vector: int, valid: Any) -> None:
        """Store the first `valid` lanes only."""
        align = ir.Constant(ir.IntType(32), self.align)
        self.builder.call(self.masked, [value, self._at(pointer, vector), align, self.mask(valid)])

    def load_valid(self, pointer: Any, vector: int, valid: Any) -> Any:
        """Load the first `valid` lanes only; the others are 0."""
        align, mask = ir.Constant(ir.IntType(32), self.align), self.mask(valid)
        zero = ir.Constant(self.vector, None)
        return self.builder.call(self.masked_load, [self._at(pointer, vector), align, mask, zero])

    def mask(self, valid: Any) -> Any:
        mask_type = ir.VectorType(INDEX, self.width)
        lane = ir.Constant(mask_type, list(range(self.width)))
        return self.builder.icmp_signed("<", lane, self.repeat(valid, mask_type))

    def add_across(self, vectors: list[Any]) -> Any:
        """One vector with the sum of all lanes of vector number i in lane i.

        Two vectors become one, with sums of two lanes; then two of those one, with sums of four.
        """
        vectors = vectors + [ir.Constant(self.vector, None)] * (self.width - len(vectors))
        apart = 1
        while len(vectors) > 1:
            vectors = [self._add_pairs(*vectors[i : i + 2], apart) for i in range(0, len(vectors), 2)]
            apart *= 2
        return vectors[0]

    def rearranged(self, vector: Any, order: list[int], other: Any = None) -> Any:
        """Lane ``order[i]`` of the vector in lane i; those of `other` are counted on."""
        mask = ir.Constant(ir.VectorType(ir.IntType(32), self.width), order)
        return self.builder.shuffle_vector(vector, vector if other is None else other, mask)

    def _add_pairs(self, first: Any, second: Any, apart: int) -> Any:
        """Sums of lanes `apart` lanes apart: in the lower of them those of `first`."""
        lower = [lane if not lane & apart else lane - apart + self.width for lane in range(self.width)]
        left = self.rearranged(first, lower, second)
        right = self.rearranged(first, [lane + apart for lane in lower], second)
        return self.builder.fadd(left, right)

    def broadcast(self, pointer: Any, offset: Any) -> Any:
        """The number at ``pointer[offset]`` in every lane."""
        number = self.builder.load(self.builder.gep(pointer, [offset]), align=self.align)
        return self.repeat(number, self.vector)

    def repeat(self, number: Any, vector_type: Any) -> Any:
        zero = ir.Constant(ir.IntType(32), 0)
        undefined = ir.Constant(vector_type, ir.Undefined)
        first = self.builder.insert_element(undefined, number, zero)
        lanes_of_zero = ir.Constant(ir.VectorType(ir.IntType(32), self.width), [0] * self.width)
        return self.builder.shuffle_vector(first, undefined, lanes_of_zero)

    def constant(self, value: float) -> Any:
        """`value` in every lane."""
        return ir.Constant(self.vector, [float(value)] * self.width)

    def place(self, pointer: Any, first: Any, *moves: tuple[int, Any]) -> Any:
        """The address ``pointer + first + count * step + ...``, with (count, step) for each move."""
        for count, step in moves:
            first = self.builder.add(first, self.builder.mul(self.index(count), step))
        return self.builder.gep(pointer, [first])

    def variable(self, value: Any) -> Any:
        """A mutable variable; LLVM turns these into registers."""
        place = cgutils.alloca_once(self.builder, value.type)
        self.builder.store(value, place)
        return place


def data_pointers(context: Any, builder: Any, signature: Any, args: Any) -> list[Any]:
    """The arguments of an intrinsic, with a pointer to the first element for each array."""
    return [
        context.make_array(kind)(context, builder, arg).data if isinstance(kind, types.Array) else arg
        for kind, arg in zip(signature.args, args, strict=True)
    ]
