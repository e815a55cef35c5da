"""The micro-kernel's promise, read in the machine code of several processors: its sums stay in registers."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("numba")

import llvmlite.binding as llvm
from llvmlite import ir

from tinyconv.kernels.cpu._vector_code import INDEX, Emitter
from tinyconv.kernels.cpu.microkernel import _generate, most_rows

FLOAT, DOUBLE = ir.FloatType(), ir.DoubleType()
MULTIPLY_ADD = re.compile(r"\t(fmla|vfmadd\w+)\t")
TO_OR_FROM_STACK = re.compile(r"\[sp|\(%rsp")
VECTOR = re.compile(r"\bq\d+|%[xyz]mm\d+")


def tile_code(number: Any, width: int, shape: tuple[int, int], accumulate: bool) -> ir.Module:
    """A module with one function: a tile of `shape`, with vectors of `width` numbers."""
    numbers, table = number.as_pointer(), INDEX.as_pointer()
    kinds = [
        numbers, INDEX, table, INDEX, table, INDEX, INDEX, INDEX, INDEX,
        numbers, INDEX, INDEX, numbers, INDEX, table, numbers, INDEX, INDEX,
    ]  # fmt: skip
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), "tile")
    builder = ir.IRBuilder(function.append_basic_block())
    _generate(Emitter(builder, number, width), list(function.args), shape, accumulate, False, 1)
    builder.ret_void()
    return module


def assembly(module: ir.Module, triple: str, processor: str) -> str:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        target = llvm.Target.from_triple(triple)
    except RuntimeError:
        pytest.skip("this LLVM does not know the processor")
    machine = target.create_target_machine(cpu=processor, opt=3)
    module.triple, module.data_layout = triple, str(machine.target_data)
    parsed = llvm.parse_assembly(str(module))
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(parsed, passes)
    return str(machine.emit_assembly(parsed))


def innermost_loop(text: str) -> list[str]:
    """The lines of the loop with the most multiply-adds, from its label to the jump back."""
    loops = []
    for block in re.split(r"^(?=\.LBB)", text, flags=re.MULTILINE):
        label, *lines = block.splitlines()
        name = label.split(":")[0]
        back = [i for i, line in enumerate(lines) if line.startswith("\t") and line.endswith(name)]
        if name.startswith(".LBB") and back:
            loops.append(lines[: back[-1]])
    return max(loops, key=lambda lines: sum(map(bool, map(MULTIPLY_ADD.search, lines))))


@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize("number", [FLOAT, DOUBLE], ids=str)
@pytest.mark.parametrize("vectors", [1, 2])
@pytest.mark.parametrize(
    ("triple", "processor", "vector_bytes", "registers"),
    [
        ("aarch64-linux-gnu", "generic", 16, 32),
        ("aarch64-linux-gnu", "neoverse-n1", 16, 32),
        ("aarch64-linux-gnu", "apple-m1", 16, 32),
        ("x86_64-linux-gnu", "haswell", 32, 16),
        ("x86_64-linux-gnu", "znver4", 64, 32),
    ],
)
def test_the_sums_stay_in_registers(
    triple: str, processor: str, vector_bytes: int, registers: int,
    vectors: int, number: Any, accumulate: bool,
) -> None:  # fmt: skip
    rows = most_rows(registers)[vectors - 1]
    width = vector_bytes // (4 if number is FLOAT else 8)
    loop = innermost_loop(assembly(tile_code(number, width, (rows, vectors), accumulate), triple, processor))
    assert sum(map(bool, map(MULTIPLY_ADD.search, loop))) == rows * vectors
    assert not [line for line in loop if VECTOR.search(line) and TO_OR_FROM_STACK.search(line)]
