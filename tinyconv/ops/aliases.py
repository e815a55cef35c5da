"""The other names that PyTorch has for some ops."""

from tinyconv.ops.arrangement import movedim as moveaxis
from tinyconv.ops.comparison import ge as greater_equal
from tinyconv.ops.comparison import gt as greater
from tinyconv.ops.comparison import le as less_equal
from tinyconv.ops.comparison import lt as less
from tinyconv.ops.comparison import ne as not_equal
from tinyconv.ops.elementwise import div as divide
from tinyconv.ops.elementwise import div as true_divide
from tinyconv.ops.elementwise import mul as multiply
from tinyconv.ops.elementwise import neg as negative
from tinyconv.ops.elementwise import sub as subtract
from tinyconv.ops.extremes import clamp as clip
from tinyconv.ops.shape import cat as concat
from tinyconv.ops.shape import cat as concatenate
from tinyconv.ops.shape import transpose as swapaxes
from tinyconv.ops.shape import transpose as swapdims
from tinyconv.ops.trigonometry import acos as arccos
from tinyconv.ops.trigonometry import asin as arcsin
from tinyconv.ops.trigonometry import atan as arctan
from tinyconv.ops.trigonometry import atan2 as arctan2
from tinyconv.ops.unary import abs as absolute

__all__ = [
    "absolute",
    "arccos",
    "arcsin",
    "arctan",
    "arctan2",
    "clip",
    "concat",
    "concatenate",
    "divide",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "moveaxis",
    "multiply",
    "negative",
    "not_equal",
    "subtract",
    "swapaxes",
    "swapdims",
    "true_divide",
]
