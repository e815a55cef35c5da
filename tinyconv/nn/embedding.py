"""Layers that look vectors up, multiply two inputs, or compare them."""

from __future__ import annotations

from math import sqrt
from typing import Any

from tinyconv.errors import ShapeError
from tinyconv.nn import functional as F
from tinyconv.nn import init
from tinyconv.nn.module import Module, Parameter
from tinyconv.ops import zeros
from tinyconv.ops._checks import check_flags, check_float, check_positive
from tinyconv.ops.embedding import check_embedding_options, check_row
from tinyconv.tensor import Tensor


class Embedding(Module):
    """A table of learned vectors; see `functional.embedding`.

    `max_norm`, `scale_grad_by_freq` and `sparse` are refused, so that `norm_type` has no meaning.

    Attributes
    ----------
    weight : Parameter
        Shape (num_embeddings, embedding_dim); standard normal at first, row `padding_idx` zero.

    Examples
    --------
    >>> import tinyconv as tc
    >>> from tinyconv import nn
    >>> nn.Embedding(10, 3)(tc.tensor([[1, 2, 4], [4, 3, 9]])).shape
    (2, 3, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        check_flags(type(self).__name__, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)
        super().__init__()
        self.num_embeddings = check_positive("Embedding", "num_embeddings", num_embeddings)
        self.embedding_dim = check_positive("Embedding", "embedding_dim", embedding_dim)
        self.padding_idx = (
            None if padding_idx is None else check_row("Embedding", padding_idx, self.num_embeddings)
        )
        check_embedding_options(
            "Embedding", max_norm=max_norm, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse
        )
        self.weight = Parameter(zeros(num_embeddings, embedding_dim))
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.array[self.padding_idx] = 0
        self.to(device=device, dtype=dtype)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """An embedding with these vectors, shape (num_embeddings, embedding_dim); `freeze`: not learned."""
        if check_float("Embedding.from_pretrained", "embeddings", embeddings).ndim != 2:
            expected = "(num_embeddings, embedding_dim)"
            found = f"of shape {embeddings.shape}"
            raise ShapeError("Embedding.from_pretrained", "embeddings", found, expected)
        rows, length = embeddings.shape
        layer = cls(rows, length, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
        layer.weight = Parameter(embeddings.detach(), requires_grad=not freeze)
        return layer

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class Bilinear(Module):
    """y_k = x1^T W_k x2 + b_k; see `functional.bilinear`.

    Attributes
    ----------
    weight : Parameter
        Shape (out_features, in1_features, in2_features), uniform in +-1 / sqrt(in1_features) at first,
        as the bias.
    bias : Parameter or None
        Shape (out_features,).
    """

    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        check_flags(type(self).__name__, bias=bias)
        super().__init__()
        self.in1_features = check_positive("Bilinear", "in1_features", in1_features)
        self.in2_features = check_positive("Bilinear", "in2_features", in2_features)
        self.out_features = check_positive("Bilinear", "out_features", out_features)
        self.weight = Parameter(zeros(out_features, in1_features, in2_features))
        self.register_parameter("bias", Parameter(zeros(out_features)) if bias else None)
        bound = 1 / sqrt(in1_features)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)
        self.to(device=device, dtype=dtype)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class CosineSimilarity(Module):
    """The cosine of the angle between two inputs along `dim`; see `functional.cosine_similarity`."""

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The p-norm of the difference of two inputs; see `functional.pairwise_distance`."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        check_flags(type(self).__name__, keepdim=keepdim)
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
