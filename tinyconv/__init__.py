"""tinyconv: a deep-learning engine for convolutional networks that can be read to the bottom.

    import tinyconv as tc
    import tinyconv.nn.functional as F
    from tinyconv import nn, optim

Names, arguments, defaults and meaning are PyTorch's.
"""

from typing import TYPE_CHECKING, Any

from tinyconv import autograd, errors, nn, optim
from tinyconv._version import __version__
from tinyconv.autograd import Function
from tinyconv.device import (
    bool_,
    default_device,
    default_dtype,
    float32,
    float64,
    get_default_dtype,
    get_num_threads,
    get_rng_state,
    int32,
    int64,
    kernel_backend,
    manual_seed,
    num_threads,
    seed,
    set_default_dtype,
    set_num_threads,
    set_rng_state,
    uint8,
)
from tinyconv.device import bool_ as bool
from tinyconv.device import float32 as float
from tinyconv.device import float64 as double
from tinyconv.device import int32 as int
from tinyconv.device import int64 as long
from tinyconv.dlpack import from_dlpack
from tinyconv.errors import missing_name
from tinyconv.grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from tinyconv.gradcheck import gradcheck, gradgradcheck
from tinyconv.io import load, save
from tinyconv.ops import *  # noqa: F403
from tinyconv.tensor import Tensor

if not TYPE_CHECKING:  # a type checker reports missing names by itself

    def __getattr__(name: str) -> Any:
        raise missing_name("tinyconv", name, globals())
