"""The Tensor: an array that remembers how it was made.

A Tensor holds a NumPy (or CuPy) array, whether it needs a gradient, that gradient, and the
graph node that made it. What can be computed with tensors is in `ops/`; `ops/methods.py`
attaches the ops as methods and operators, so that this file imports nothing above itself.
"""

from __future__ import annotations

import builtins
import copy
import weakref
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyconv import device as _device
from tinyconv.autograd import backward
from tinyconv.device_errors import clear_errors
from tinyconv.errors import ArgumentError, DtypeError, GraphError, ShapeError, missing_name
from tinyconv.function import AccumulateGrad, Function, is_differentiable, use_tensor_class
from tinyconv.hooks import GradientHooks, Hook, RemovableHandle, gradient_hooks, retains
from tinyconv.memory import Version, check_writable
from tinyconv.recorder import repeated

if TYPE_CHECKING:
    from tinyconv.attached import AttachedMethods
else:
    AttachedMethods = object


class Tensor(AttachedMethods):
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
        if type(array) is not np.ndarray:
            if not hasattr(array, "dtype"):
                expected = "an array; tc.tensor(...) makes one"
                raise DtypeError("Tensor", "array", f"a {type(array).__name__}", expected)
            if isinstance(array, np.generic):  # what NumPy makes of arrays without dimensions
                array = np.asarray(array)
        if requires_grad and not is_differentiable(array):
            raise DtypeError("Tensor", "dtype", array.dtype, "a floating-point type where requires_grad=True")
        self.array: Any = array
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

    @data.setter
    def data(self, value: Tensor) -> None:
        """Take over the values of another tensor, and share its memory."""
        if not isinstance(value, Tensor):
            raise DtypeError("data", "the new value", f"a {type(value).__name__}", "a Tensor")
        if self.requires_grad and not is_differentiable(value.array):
            raise DtypeError("data", "the new value's dtype", value.dtype, "float32 or float64")
        if (value.shape, value.dtype) != (self.shape, self.dtype):
            self.accumulator = None  # it knows the shape of the gradient
        self.array = value.array
        self.version.count += 1

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
        if dim is None:
            return self.shape
        if not isinstance(dim, int | np.integer) or not -self.ndim <= dim < self.ndim:
            raise ArgumentError("size", "dim", repr(dim), f"a dimension of {self.shape}")
        return self.shape[dim]

    def dim(self) -> int:
        """Number of dimensions."""
        return self.ndim

    ndimension = dim

    def numel(self) -> int:
        """Number of elements."""
        return int(self.array.size)

    nelement = numel

    def item(self) -> Any:
        """The value of a one-element tensor as a Python number."""
        return self._single("item")

    def _single(self, where: str) -> Any:
        if self.array.size != 1:
            raise ShapeError(where, "the tensor's shape", self.shape, "a single element")
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
        if _device.array_module(self.array) is not np:
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
        """Set `requires_grad` of this leaf, in place; a tensor of a graph requires its gradient already."""
        if not isinstance(requires_grad, builtins.bool):
            raise ArgumentError("requires_grad_", "requires_grad", repr(requires_grad), "True or False")
        if self.grad_fn is not None and not requires_grad:
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

    def cuda(self, device: str | int | None = None, non_blocking: bool = False) -> Tensor:
        """Copy to the GPU, or to the one of this name or number."""
        name = f"cuda:{device}" if isinstance(device, int) else device or "cuda"
        return self.to(name, non_blocking=non_blocking)

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
        if not isinstance(other, Tensor):
            raise DtypeError("type_as", "other", f"a {type(other).__name__}", "a Tensor")
        return self.to(other.dtype)

    def zero_(self) -> Tensor:
        """Set all values to zero, in place."""
        return self.fill_(0)

    @repeated
    def fill_(self, value: Any) -> Tensor:
        """Set all values to `value`, in place."""
        self._check_writable("fill_")
        try:
            self.array[...] = value
        except (ValueError, TypeError, OverflowError) as error:
            raise ArgumentError("fill_", "value", repr(value), f"a number ({error})") from error
        return self

    @repeated
    def copy_(self, source: Any) -> Tensor:
        """Copy the values of `source`, broadcast to this tensor's shape, in place."""
        self._check_writable("copy_", source)
        values = source
        try:
            values = source.array if isinstance(source, Tensor) else _device.as_array(source)
            values = _device.to_device(values, _device.device_of(self.array))
            self.array[...] = values
        except (ValueError, TypeError, OverflowError) as error:
            given = getattr(values, "shape", None) or repr(values)
            raise ShapeError(
                "copy_", "source", given, f"numbers in a shape that fits {self.shape}"
            ) from error
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
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Sequence[Tensor] | None = None,
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
        inputs : Tensor or sequence of Tensor, optional
            Leaves: only these get their gradient.

        Raises
        ------
        GraphError
            If nothing here needs a gradient, the graph was freed by an earlier backward, or
            `gradient` is missing for a tensor with several elements.
        """
        backward(self, gradient, retain_graph, create_graph, inputs)

    def __len__(self) -> int:
        if self.ndim == 0:
            raise ShapeError("len", "the tensor's shape", self.shape, "at least one dimension")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self.ndim == 0:
            raise ShapeError("iter", "the tensor's shape", self.shape, "at least one dimension")
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        if self.array.size != 1:
            expected = "a single element; .any() or .all() makes one of many"
            raise ShapeError("bool", "the tensor's shape", self.shape, expected)
        return bool(self.array.item())

    def __float__(self) -> builtins.float:
        return float(self._single("float"))

    def __int__(self) -> int:
        return int(self._single("int"))

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise DtypeError("index", "dtype", self.dtype, "an integer tensor")
        return int(self._single("index"))

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
        with _device.gpu_of(self.array), clear_errors("deepcopy"):
            Tensor.__init__(twin, self.array.copy("K"), self.requires_grad)
        twin.grad = copy.deepcopy(self.grad, memo)
        return twin

    __hash__ = object.__hash__


use_tensor_class(Tensor)
