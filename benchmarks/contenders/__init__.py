"""The engines that tinyconv is compared with, one file each; PyTorch's is in `tinyconv.benchmark`."""

from tinyconv.benchmark.engines import CONTENDERS

PYTORCH = tuple(name for name in CONTENDERS if name.startswith("pytorch"))

ALL = {
    **{name: CONTENDERS[name] for name in (*PYTORCH, "reference", "tinyconv", "tinyconv compiled")},
    "jax": "benchmarks.contenders.jax:Jax",
    "mygrad": "benchmarks.contenders.mygrad:MyGrad",
}
"""By name."""

NOT_HERE = (
    "DeZero (0.0.13, the newest) cannot be imported with NumPy 2: it uses np.int, which is gone since 1.24",
    "Chainer (7.8.1, the newest) cannot be imported with NumPy 2: it uses np.sctypes, which is gone",
)
