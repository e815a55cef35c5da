"""The Tensor: an array that remembers how it was made.

A Tensor holds a NumPy (or CuPy) array, whether it needs a gradient, that gradient, and the
graph node that made it. What can be computed with tensors is in `ops/`; `ops/methods.py`
attaches the ops as methods and operators, so that this file imports nothing above itself.
"""

from __future__ import annotations

import builtins
import copy
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyconv import device as _device
from tinyconv.autograd import run_backward, start_gradient
from tinyconv.errors import ArgumentError, DtypeError, GraphError, ShapeError, missing_name
from tinyconv.function import AccumulateGrad, Function, is_differentiable, use_tensor_class
from tinyconv.hooks import GradientHooks, Hook, RemovableHandle, gradient_hooks, retains
from tinyconv.memory import Version, check_writable


class Tensor:
    """An n-dimensional array with automatic differentiation.

    Make one with `tensor`, `zeros`, `randn`, …; the constructor itself wraps an array without
    copying it.

    Attributes
    ----------
    array : numpy.ndarray or cupy.ndarray
        The values; shares memory with whatever it was made from.
    requires_grad : bool
        Whether `backward` computes a gradient for this tensor.
    grad : Tensor or None
        The gradient that `backward` accumulated (leaves only).
    grad_fn : Function or None
        The op that made this tensor; None for a leaf.
    output_index : int
        Which of the op's outputs this tensor is.
    version : Version
        Counts the in-place changes of the memory; shared with the tensors that view it.
    """

    __slots__ = (
        "__weakref__",
        "accumulator",
        "array",
        "grad",
        "grad_fn",
        "hooks",
        "output_index",
        "requires_grad",
        "version",
    )

    __array_priority__ = 1000  # so that array * tensor is tensor.__rmul__, not NumPy's loop

    def __init__(self, array: Any, requires_grad: bool = False) -> None:
        if requires_grad and not is_differentiable(array):
            raise DtypeError("Tensor", "dtype", array.dtype, "a floating-point type where requires_grad=True")
        # NumPy turns arrays without dimensions into scalars wherever it computes with them.
        self.array: Any = np.asarray(array) if isinstance(array, np.generic) else array
        self.requires_grad = requires_grad
        self.grad: Tensor | None = None
        self.grad_fn: Function | None = None
        self.output_index = 0
        self.accumulator: weakref.ref[AccumulateGrad] | None = None
        self.hooks: dict[int, GradientHooks] | None = None
        self.version = Version()

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the dimensions, (N, C, H, W) for a batch of images."""
        return self.array.shape

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self.array.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements, a NumPy dtype."""
        return self.array.dtype

    @property
    def device(self) -> str:
        """Where the array lives: ``"cpu"`` or ``"cuda:0"``."""
        return _device.device_of(self.array)

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded op made this tensor."""
        return self.grad_fn is None

    @property
    def data(self) -> Tensor:
        """The same values, outside the graph; shares memory, but changes through it are not counted.

        They go unseen by `backward` (see `detach`, which does count them).
        """
        return Tensor(self.array)

    @property
    def T(self) -> Tensor:  # noqa: N802 - PyTorch's name
        """The tensor with its dimensions reversed."""
        return self.permute(*reversed(range(self.ndim)))

    @property
    def mT(self) -> Tensor:  # noqa: N802 - PyTorch's name
        """The matrices (…, H, W) transposed, (…, W, H)."""
        if self.ndim < 2:
            raise ShapeError("mT", "the tensor's shape", self.shape, "(…, H, W)")
        return self.transpose(-2, -1)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """Number of dimensions."""
        return self.ndim

    def numel(self) -> int:
        """Number of elements."""
        return int(self.array.size)

    def item(self) -> Any:
        """The value of a one-element tensor as a Python number."""
        if self.array.size != 1:
            raise ShapeError("item", "the tensor's shape", self.shape, "a single element")
        return self.array.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self.array.tolist()

    def numpy(self) -> np.ndarray[Any, Any]:
        """The values as a NumPy array that shares memory.

        Raises
        ------
        GraphError
            If the tensor is part of a graph; call ``detach()`` first.
        DeviceError
            If it lives on a GPU; call ``cpu()`` first.
        """
        if self.requires_grad:
            raise GraphError("numpy", "the tensor", "part of a graph", "tensor.detach().numpy()")
        if not isinstance(self.array, np.ndarray):
            raise _device.DeviceError("numpy", "the tensor's device", self.device, "tensor.cpu().numpy()")
        return self.array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __dlpack__(self, **options: Any) -> Any:
        """A capsule through which another library shares the memory (see `from_dlpack`)."""
        from tinyconv.dlpack import export

        return export(self, **options)

    def __dlpack_device__(self) -> tuple[int, int]:
        """The kind of device, 1 for the CPU and 2 for CUDA, and its number."""
        from tinyconv.dlpack import device_of

        return device_of(self)

    def detach(self) -> Tensor:
        """The same values, outside the graph; shares memory."""
        detached = Tensor(self.array)
        detached.version = self.version
        return detached

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad` of this leaf, in place."""
        if self.grad_fn is not None:
            raise GraphError(
                "requires_grad_", "the tensor", "the result of an op", "a leaf, e.g. tensor.detach()"
            )
        if requires_grad and not is_differentiable(self.array):
            raise DtypeError("requires_grad_", "dtype", self.dtype, "a floating-point type")
        self.requires_grad = requires_grad
        return self

    def cpu(self) -> Tensor:
        """Copy to the CPU."""
        return self.to("cpu")

    def cuda(self) -> Tensor:
        """Copy to the GPU."""
        return self.to("cuda")

    def float(self) -> Tensor:
        """Convert to float32."""
        return self.to(_device.float32)

    def double(self) -> Tensor:
        """Convert to float64."""
        return self.to(_device.float64)

    def long(self) -> Tensor:
        """Convert to int64."""
        return self.to(_device.int64)

    def type_as(self, other: Tensor) -> Tensor:
        """Convert to the dtype of `other`."""
        return self.to(other.dtype)

    def zero_(self) -> Tensor:
        """Set all values to zero, in place."""
        return self.fill_(0)

    def fill_(self, value: Any) -> Tensor:
        """Set all values to `value`, in place."""
        self._check_writable("fill_")
        try:
            self.array[...] = value
        except (ValueError, TypeError) as error:
            raise ArgumentError("fill_", "value", repr(value), f"a number ({error})") from error
        return self

    def copy_(self, source: Any) -> Tensor:
        """Copy the values of `source`, broadcast to this tensor's shape, in place."""
        self._check_writable("copy_", source)
        array = source.array if isinstance(source, Tensor) else np.asarray(source)
        try:
            self.array[...] = array
        except ValueError as error:
            raise ShapeError("copy_", "source", array.shape, f"a shape that fits {self.shape}") from error
        return self

    def _check_writable(self, op: str, value: Any = None) -> None:
        """Called before every in-place change (to `value`): refuse it inside a graph, and count it."""
        check_writable(self, op, value)
        self.version.count += 1

    @property
    def _version(self) -> int:
        """How often the memory was changed in place."""
        return self.version.count

    def register_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(gradient)`` whenever backward has computed the gradient of this tensor.

        Parameters
        ----------
        hook : callable
            Gets the gradient, which it must not change in place; may return another Tensor of
            the same shape and dtype, which goes on in its place.

        Returns
        -------
        RemovableHandle
            ``handle.remove()`` takes the hook away.

        Raises
        ------
        GraphError
            If the tensor needs no gradient.

        Examples
        --------
        >>> import tinyconv as tc
        >>> x = tc.tensor([1.0, 2.0], requires_grad=True)
        >>> handle = x.register_hook(lambda grad: grad * 10)
        >>> (x * x).sum().backward()
        >>> x.grad.tolist()
        [20.0, 40.0]
        """
        return gradient_hooks("register_hook", self).add(hook)

    def retain_grad(self) -> None:
        """Keep ``.grad`` of this tensor although it is not a leaf."""
        hooks = gradient_hooks("retain_grad", self)
        if self.grad_fn is not None:
            hooks.retaining = weakref.ref(self)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on this non-leaf."""
        return self.grad_fn is not None and retains(self.grad_fn, self.output_index)

    def backward(
        self, gradient: Tensor | None = None, retain_graph: bool | None = None, create_graph: bool = False
    ) -> None:
        """Add the gradient of this tensor to ``.grad`` of every leaf it depends on.

        Parameters
        ----------
        gradient : Tensor, optional
            Gradient of the loss with respect to this tensor; may be left out for a scalar.
        retain_graph : bool, optional
            Keep what the ops saved, for another backward; by default what `create_graph` is.
        create_graph : bool
            Record the gradient computation, so that it can be differentiated again.

        Raises
        ------
        GraphError
            If nothing here needs a gradient, the graph was freed by an earlier backward, or
            `gradient` is missing for a tensor with several elements.
        """
        start = start_gradient("backward", self, gradient)
        retain = create_graph if retain_graph is None else retain_graph
        run_backward([self], [start], None, retain, create_graph)

    def __len__(self) -> int:
        if self.ndim == 0:
            raise ShapeError("len", "the tensor's shape", self.shape, "at least one dimension")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> builtins.float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise DtypeError("index", "dtype", self.dtype, "an integer tensor")
        return int(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.ndim == 0 else format(str(self), spec)

    def __repr__(self) -> str:
        values = np.array2string(_device.to_device(self.array, "cpu"), separator=", ", prefix="tensor(")
        notes = (
            "" if self.dtype in (_device.float32, _device.int64, _device.bool_) else f", dtype={self.dtype}"
        )
        if self.grad_fn is not None:
            notes += f", grad_fn=<{self.grad_fn.name}>"
        elif self.requires_grad:
            notes += ", requires_grad=True"
        return f"tensor({values}{notes})"

    if not TYPE_CHECKING:  # a type checker reports missing names by itself

        def __getattr__(self, name: str) -> Any:
            raise missing_name("Tensor", name, dir(type(self)))

    def __reduce__(self) -> Any:
        raise ArgumentError(
            "pickle",
            "the object",
            "a Tensor",
            "tc.save/tc.load (safetensors): pickles can run code when loaded",
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self.grad_fn is not None:
            raise GraphError("deepcopy", "the tensor", "the result of an op", "a leaf, e.g. tensor.detach()")
        twin = memo[id(self)] = object.__new__(type(self))
        Tensor.__init__(twin, self.array.copy("K"), self.requires_grad)
        twin.grad = copy.deepcopy(self.grad, memo)
        return twin

    __hash__ = object.__hash__

    if TYPE_CHECKING:  # attached by ops/methods.py

        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __iadd__(self, other: Any) -> Tensor: ...
        def __isub__(self, other: Any) -> Tensor: ...
        def __imul__(self, other: Any) -> Tensor: ...
        def __itruediv__(self, other: Any) -> Tensor: ...
        def __ipow__(self, other: Any) -> Tensor: ...
        def add_(self, other: Any) -> Tensor: ...
        def sub_(self, other: Any) -> Tensor: ...
        def mul_(self, other: Any) -> Tensor: ...
        def div_(self, other: Any) -> Tensor: ...
        def pow_(self, exponent: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
        def __eq__(self, other: Any) -> Tensor: ...  # type: ignore[override]
        def __ne__(self, other: Any) -> Tensor: ...  # type: ignore[override]
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __rfloordiv__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __rmod__(self, other: Any) -> Tensor: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __rand__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __ror__(self, other: Any) -> Tensor: ...
        def __xor__(self, other: Any) -> Tensor: ...
        def __rxor__(self, other: Any) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def add(self, other: Any) -> Tensor: ...
        def sub(self, other: Any) -> Tensor: ...
        def mul(self, other: Any) -> Tensor: ...
        def div(self, other: Any) -> Tensor: ...
        def pow(self, exponent: Any) -> Tensor: ...
        def exp(self) -> Tensor: ...
        def log(self) -> Tensor: ...
        def neg(self) -> Tensor: ...
        def abs(self) -> Tensor: ...
        def sqrt(self) -> Tensor: ...
        def rsqrt(self) -> Tensor: ...
        def square(self) -> Tensor: ...
        def reciprocal(self) -> Tensor: ...
        def sin(self) -> Tensor: ...
        def cos(self) -> Tensor: ...
        def log1p(self) -> Tensor: ...
        def expm1(self) -> Tensor: ...
        def sign(self) -> Tensor: ...
        def floor(self) -> Tensor: ...
        def ceil(self) -> Tensor: ...
        def trunc(self) -> Tensor: ...
        def isnan(self) -> Tensor: ...
        def isinf(self) -> Tensor: ...
        def isfinite(self) -> Tensor: ...
        def logical_not(self) -> Tensor: ...
        def bitwise_not(self) -> Tensor: ...
        def round(self, decimals: int = 0) -> Tensor: ...
        def clamp(self, min: Any = None, max: Any = None) -> Tensor: ...
        def maximum(self, other: Any) -> Tensor: ...
        def minimum(self, other: Any) -> Tensor: ...
        def floor_divide(self, other: Any) -> Tensor: ...
        def remainder(self, other: Any) -> Tensor: ...
        def eq(self, other: Any) -> Tensor: ...
        def ne(self, other: Any) -> Tensor: ...
        def lt(self, other: Any) -> Tensor: ...
        def le(self, other: Any) -> Tensor: ...
        def gt(self, other: Any) -> Tensor: ...
        def ge(self, other: Any) -> Tensor: ...
        def logical_and(self, other: Any) -> Tensor: ...
        def logical_or(self, other: Any) -> Tensor: ...
        def logical_xor(self, other: Any) -> Tensor: ...
        def bitwise_and(self, other: Any) -> Tensor: ...
        def bitwise_or(self, other: Any) -> Tensor: ...
        def bitwise_xor(self, other: Any) -> Tensor: ...
        def any(self, dim: Any = None, keepdim: bool = False) -> Tensor: ...
        def all(self, dim: Any = None, keepdim: bool = False) -> Tensor: ...
        def astype(self, dtype: Any) -> Tensor: ...
        def to(self, *targets: Any, device: str | None = None, dtype: Any = None) -> Tensor: ...
        def matmul(self, other: Tensor) -> Tensor: ...
        def sum(self, dim: Any = None, keepdim: bool = False) -> Tensor: ...
        def mean(self, dim: Any = None, keepdim: bool = False) -> Tensor: ...
        def max(self, dim: Any = None, keepdim: bool = False) -> Any: ...
        def min(self, dim: Any = None, keepdim: bool = False) -> Any: ...
        def amax(self, dim: Any = None, keepdim: bool = False) -> Tensor: ...
        def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor: ...
        def amin(self, dim: Any = None, keepdim: bool = False) -> Tensor: ...
        def argmin(self, dim: int | None = None, keepdim: bool = False) -> Tensor: ...
        def var(
            self, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: Any = None
        ) -> Tensor: ...
        def std(
            self, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: Any = None
        ) -> Tensor: ...
        def prod(self, dim: int | None = None, keepdim: bool = False) -> Tensor: ...
        def logsumexp(self, dim: Any, keepdim: bool = False) -> Tensor: ...
        def cumsum(self, dim: int) -> Tensor: ...
        def norm(self, p: Any = "fro", dim: Any = None, keepdim: bool = False) -> Tensor: ...
        def reshape(self, *shape: Any) -> Tensor: ...
        def view(self, *shape: Any) -> Tensor: ...
        def permute(self, *dims: Any) -> Tensor: ...
        def transpose(self, dim0: int, dim1: int) -> Tensor: ...
        def expand(self, *sizes: Any) -> Tensor: ...
        def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor: ...
        def squeeze(self, dim: int | None = None) -> Tensor: ...
        def unsqueeze(self, dim: int) -> Tensor: ...
        def split(self, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]: ...
        def chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]: ...
        def unbind(self, dim: int = 0) -> tuple[Tensor, ...]: ...
        def narrow(self, dim: int, start: int, length: int) -> Tensor: ...
        def flip(self, *dims: Any) -> Tensor: ...
        def roll(self, shifts: Any, dims: Any = None) -> Tensor: ...
        def tril(self, diagonal: int = 0) -> Tensor: ...
        def triu(self, diagonal: int = 0) -> Tensor: ...
        def repeat(self, *repeats: Any) -> Tensor: ...
        def tile(self, *dims: Any) -> Tensor: ...
        def movedim(self, source: Any, destination: Any) -> Tensor: ...
        def ravel(self) -> Tensor: ...
        def expand_as(self, other: Tensor) -> Tensor: ...
        def view_as(self, other: Tensor) -> Tensor: ...
        def gather(self, dim: int, index: Tensor) -> Tensor: ...
        def scatter_add(self, dim: int, index: Tensor, src: Tensor) -> Tensor: ...
        def index_select(self, dim: int, index: Tensor) -> Tensor: ...
        def take_along_dim(self, indices: Tensor, dim: int | None = None) -> Tensor: ...
        def masked_fill(self, mask: Tensor, value: Any) -> Tensor: ...
        def masked_select(self, mask: Tensor) -> Tensor: ...
        def nonzero(self, as_tuple: bool = False) -> Any: ...
        def sort(self, dim: int = -1, descending: bool = False, stable: bool = True) -> Any: ...
        def argsort(self, dim: int = -1, descending: bool = False, stable: bool = True) -> Tensor: ...
        def topk(self, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any: ...
        def bmm(self, mat2: Tensor) -> Tensor: ...
        def mm(self, mat2: Tensor) -> Tensor: ...
        def mv(self, vec: Tensor) -> Tensor: ...
        def dot(self, tensor: Tensor) -> Tensor: ...
        def outer(self, vec2: Tensor) -> Tensor: ...
        def abs_(self) -> Tensor: ...
        def clamp_(self, min: Any = None, max: Any = None) -> Tensor: ...
        def exp_(self) -> Tensor: ...
        def log_(self) -> Tensor: ...
        def masked_fill_(self, mask: Tensor, value: Any) -> Tensor: ...
        def neg_(self) -> Tensor: ...
        def scatter_add_(self, dim: int, index: Tensor, src: Tensor) -> Tensor: ...
        def sqrt_(self) -> Tensor: ...
        def allclose(self, other: Tensor, rtol: Any = 1e-05, atol: Any = 1e-08, **options: bool) -> bool: ...
        def equal(self, other: Tensor) -> bool: ...
        def isclose(self, other: Tensor, rtol: Any = 1e-05, atol: Any = 1e-08, **options: bool) -> Tensor: ...
        def t(self) -> Tensor: ...
        def scatter(self, dim: int, index: Tensor, src: Any) -> Tensor: ...
        def scatter_(self, dim: int, index: Tensor, src: Any) -> Tensor: ...
        def normal_(self, mean: builtins.float = 0.0, std: builtins.float = 1.0) -> Tensor: ...
        def uniform_(self, low: builtins.float = 0.0, high: builtins.float = 1.0) -> Tensor: ...
        def clone(self) -> Tensor: ...
        def contiguous(self) -> Tensor: ...
        def relu(self) -> Tensor: ...
        def sigmoid(self) -> Tensor: ...
        def tanh(self) -> Tensor: ...
        def softmax(self, dim: int) -> Tensor: ...
        def log_softmax(self, dim: int) -> Tensor: ...


use_tensor_class(Tensor)
