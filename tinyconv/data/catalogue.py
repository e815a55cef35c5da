"""The datasets that `tinyconv data get` knows: where they come from and how to know them.

The MD5 sums of MNIST, Fashion-MNIST and CIFAR-10 are those of their authors or of torchvision;
the SHA-256 sums are those that TensorFlow Datasets and others publish for the same files. The
nuclei have no published checksum: the CRC-32 of each file in the archive is compared.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tinyconv.data.archives import unpack
from tinyconv.data.download import RemoteFile, download
from tinyconv.errors import ArgumentError

ROOT_VARIABLE = "TINYCONV_DATA"
DEFAULT_ROOT = "data"


@dataclass(frozen=True)
class Entry:
    """A dataset of the catalogue.

    Attributes
    ----------
    name : str
    title : str
        What it is, in one line.
    home : str
        Where it is described.
    terms : str
        Under what terms its authors give it.
    folder : str
        Where it goes, below the folder of all data.
    files : tuple of RemoteFile
        None for data that are made, or come with a package.
    unpacked : str
        If the file is an archive: the folder, below `folder`, that it is unpacked into.
    package, install : str
        What the data come with, where that is no requirement of tinyconv's, and how to get it.
    """

    name: str
    title: str
    home: str
    terms: str
    folder: str = ""
    files: tuple[RemoteFile, ...] = ()
    unpacked: str = ""
    package: str = ""
    install: str = ""

    @property
    def size(self) -> int:
        """Bytes to download, as far as they are known."""
        return sum(file.size or 0 for file in self.files)

    def path(self, root: Path) -> Path:
        """The folder that the data are read from."""
        return root / self.folder / self.unpacked


def _idx_files(hosts: tuple[str, ...], sums: tuple[tuple[int, str, str], ...]) -> tuple[RemoteFile, ...]:
    """The four files of MNIST and of what copies its format; `sums` are sizes, SHA-256 and MD5."""
    names = [
        f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")
    ]
    return tuple(
        RemoteFile(name, tuple(host + name for host in hosts), *known)
        for name, known in zip(names, sums, strict=True)
    )


MNIST = Entry(
    "mnist",
    "MNIST: 70,000 handwritten digits, grey, 28x28 (LeCun, Cortes and Burges)",
    "http://yann.lecun.com/exdb/mnist/",
    "free to use, with their paper cited",
    "mnist",
    _idx_files(
        (
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ),
        (
            (
                9912422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            ),
            (
                28881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "d53e105ee54ea40749a09fcbcd1e9432",
            ),
            (
                1648877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "9fb629c4189551a2d022fa330f9573f3",
            ),
            (
                4542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                "ec29112dd5afa0611ce80d1b7f02629c",
            ),
        ),
    ),
)

FASHION_MNIST = Entry(
    "fashion_mnist",
    "Fashion-MNIST: 70,000 pieces of clothing, grey, 28x28 (Xiao, Rasul and Vollgraf)",
    "https://github.com/zalandoresearch/fashion-mnist",
    "MIT",
    "fashion_mnist",
    _idx_files(
        (
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
        (
            (
                26421880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            ),
            (
                29515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                "25c81989df183df01b3e8a0aad5dffbe",
            ),
            (
                4422102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                "bef4ecab320f06d8554ea6380940ec79",
            ),
            (
                5148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                "bb300cfdad3c16e7a12a480ee83cd310",
            ),
        ),
    ),
)

CIFAR10 = Entry(
    "cifar10",
    "CIFAR-10: 60,000 photographs of ten things, colour, 32x32 (Krizhevsky)",
    "https://www.cs.toronto.edu/~kriz/cifar.html",
    "free to use, with the report of 2009 cited",
    "cifar10",
    (
        RemoteFile(
            "cifar-10-binary.tar.gz",
            ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
            170052171,
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            "c32a1d4ab5d03f1284b67883e8d87530",
        ),
    ),
    "cifar-10-binary",
)

DSB2018 = Entry(
    "dsb2018",
    "Nuclei of the 2018 Data Science Bowl, stage 1: 670 images, a mask for each nucleus (BBBC038)",
    "https://bbbc.broadinstitute.org/BBBC038",
    "CC0",
    "dsb2018",
    (RemoteFile("stage1_train.zip", ("https://data.broadinstitute.org/bbbc/BBBC038/stage1_train.zip",)),),
    "stage1_train",
)

DIGITS = Entry(
    "digits",
    "1,797 handwritten digits, grey, 8x8 (Alpaydin and Kaynak); comes with scikit-learn",
    "https://archive.ics.uci.edu/dataset/80",
    "CC BY 4.0",
)

MNI = Entry(
    "mni",
    "a brain in T1 with its grey and white matter, 189x233x197 (Fonov and others); comes with nilearn",
    "https://nist.mni.mcgill.ca/icbm-152-nonlinear-atlases-2009/",
    "free to use for any purpose, with the notice of Collins and McGill University kept",
    package="nilearn",
    install="pip install tinyconv[brain]",
)

MADE = (
    Entry("synthetic", "nuclei as a fluorescence microscope sees them, made here", "", "MIT"),
    Entry("vessels", "vessels with calcium, made here", "", "MIT"),
    Entry("hearts", "a left ventricle over time, made here", "", "MIT"),
    Entry("organs", "volumes of an organ with lesions, made here", "", "MIT"),
)

CATALOGUE = {entry.name: entry for entry in (MNIST, FASHION_MNIST, CIFAR10, DSB2018, DIGITS, MNI, *MADE)}


def find(name: str, others: Iterable[str] = ()) -> Entry:
    """The entry of that name, or an `ArgumentError` that names the nearest, or that of `others`."""
    if name not in CATALOGUE:
        names = [*CATALOGUE, *others]
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ArgumentError("data", "NAME", repr(name), "one of " + ", ".join(names) + hint)
    return CATALOGUE[name]


def data_root(given: str | os.PathLike[str] | None = None) -> Path:
    """The folder of all data: as given, else ``$TINYCONV_DATA``, else ``data``."""
    return Path(given or os.environ.get(ROOT_VARIABLE) or DEFAULT_ROOT)


def is_there(entry: Entry, root: Path) -> bool:
    """Whether the data are below `root`, complete, or their package is installed; no checksum is computed."""
    if entry.package and find_spec(entry.package) is None:
        return False
    if entry.unpacked:
        return entry.path(root).is_dir()
    return all((entry.path(root) / file.name).is_file() for file in entry.files)


def get(entry: Entry, root: Path, show: bool = True) -> Path:
    """Download a dataset, unless it is there; returns the folder that it is read from.

    An archive is unpacked and then removed.

    Raises
    ------
    DownloadError, DataError, StorageError, ArgumentError
        As `download` and `archives.unpack`.
    """
    folder = entry.path(root)
    if entry.unpacked and folder.is_dir():
        return folder
    paths = [download(file, root / entry.folder, show=show) for file in entry.files]
    if entry.unpacked:
        unpack(paths[0], folder)
        paths[0].unlink(missing_ok=True)
    return folder
