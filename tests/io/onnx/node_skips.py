"""Which of ONNX's node tests tinyconv does not run, and why: the one table of reasons."""

from __future__ import annotations

from tests.io.onnx.node_cases import Case

SKIPPED_TYPES = {
    "8-bit and smaller numbers in place of floats (quantization)": (
        *("ConvInteger", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger"),
        *("QLinearConv", "QLinearMatMul", "QuantizeLinear"),
    ),
    "attention with a recurrent state, and programmable attention": (
        *("CausalConvWithState", "LinearAttention", "ai.onnx.preview.FlexAttention"),
    ),
    "texts": ("RegexFullMatch", "StringConcat", "StringNormalizer", "StringSplit", "TfIdfVectorizer"),
    "classical machine learning": (
        *("ai.onnx.ml.ArrayFeatureExtractor", "ai.onnx.ml.Binarizer"),
        *("ai.onnx.ml.LabelEncoder", "ai.onnx.ml.TreeEnsemble"),
    ),
    "optimisers as nodes: tinyconv.optim has them": (
        *("ai.onnx.preview.training.Adagrad", "ai.onnx.preview.training.Adam"),
        "ai.onnx.preview.training.Momentum",
    ),
    "spectra and sound": ("DFT", "MelWeightMatrix", "STFT"),
    "boxes and regions of detectors": ("DeformConv", "NonMaxSuppression", "RoiAlign"),
    "files of images": ("ImageDecoder",),
    "random draws, which cannot be compared": ("Bernoulli", "RandomUniformLike"),
    "determinants, which tinyconv has no op for": ("Det",),
}
"""Node types that are not in the loader's table."""

SKIPPED_ELEMENTS = {
    "float16 and bfloat16": ("FLOAT16", "BFLOAT16"),
    "floats of 4 and 8 bits": (
        *("FLOAT4E2M1", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "FLOAT8E8M0"),
    ),
    "integers of 2 and 4 bits": ("INT2", "INT4", "UINT2", "UINT4"),
    "texts": ("STRING",),
}
"""Element types that tinyconv has no tensors of."""

SKIPPED_CASES = {
    "random draws, which cannot be compared": (
        *("test_training_dropout", "test_training_dropout_default"),
        *("test_training_dropout_default_mask", "test_training_dropout_mask"),
    ),
    "operator set 8, in which Scan works on batches": ("test_scan_sum",),
}
"""Single cases of node types that the loader has."""

NOT_IN_NODE_TESTS = {"ConcatFromSequence", "GlobalLpPool", "SequenceErase"}
"""Node types of the loader that no node test runs; tests of their own are in test_more_nodes.py."""


def reason(case: Case) -> str | None:
    """Why a case is skipped, by what its file contains; None: it must pass."""
    for why, names in SKIPPED_CASES.items():
        if case.name in names:
            return why
    for why, types in SKIPPED_TYPES.items():
        if case.types & set(types):
            return why
    for why, elements in SKIPPED_ELEMENTS.items():
        if case.element_types & set(elements):
            return why
    return None
