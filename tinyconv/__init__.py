"""tinyconv: a deep-learning engine for convolutional networks that can be read to the bottom.

    import tinyconv as tc
    import tinyconv.nn.functional as F
    from tinyconv import nn, optim

Names, arguments, defaults and meaning are PyTorch's.
"""

from importlib import import_module
from math import e, inf, nan, pi
from typing import TYPE_CHECKING, Any

from numpy import dtype, finfo, iinfo

from tinyconv import amp, autograd, backends, cuda, errors, nn, optim
from tinyconv._version import __version__
from tinyconv.amp import (
    autocast,
    get_float32_matmul_precision,
    is_autocast_enabled,
    set_float32_matmul_precision,
)
from tinyconv.autograd import Function
from tinyconv.capture import compile
from tinyconv.device import (
    bool_,
    conv_algorithm,
    default_device,
    default_dtype,
    float32,
    float64,
    get_conv_algorithm,
    get_default_device,
    get_default_dtype,
    get_num_threads,
    get_rng_state,
    int8,
    int16,
    int32,
    int64,
    kernel_backend,
    manual_seed,
    num_threads,
    seed,
    set_conv_algorithm,
    set_default_device,
    set_default_dtype,
    set_num_threads,
    set_rng_state,
    uint8,
)
from tinyconv.device import bool_ as bool
from tinyconv.device import float32 as float
from tinyconv.device import float64 as double
from tinyconv.device import int16 as short
from tinyconv.device import int32 as int
from tinyconv.device import int64 as long
from tinyconv.dlpack import from_dlpack
from tinyconv.errors import missing_name
from tinyconv.generator import Generator
from tinyconv.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from tinyconv.gradcheck import gradcheck, gradgradcheck
from tinyconv.graph import use_drawer as _use_drawer
from tinyconv.io import load, save
from tinyconv.ops import *  # noqa: F403
from tinyconv.tensor import Tensor

Size = tuple
"""The type of ``x.shape``."""

contiguous_format, channels_last, preserve_format = "contiguous_format", "channels_last", "preserve_format"
"""What ``memory_format`` may be: N, C, H, W in that order in memory; N, H, W, C; as the input is."""

bfloat16 = "bfloat16"
"""For `autocast`: no tensor has this dtype."""

ON_DEMAND = ("data", "metrics", "models", "train", "utils", "viz")
"""Parts of the package that are imported when they are first asked for."""

_use_drawer(lambda: import_module("tinyconv.viz"))

if not TYPE_CHECKING:  # a type checker reports missing names by itself

    def __getattr__(name: str) -> Any:
        if name in ON_DEMAND:
            return import_module(f"tinyconv.{name}")
        instead = dict.fromkeys(("float16", "half"), "tc.bfloat16 in autocast, which needs no scaled loss")
        raise missing_name("tinyconv", name, globals(), instead)
