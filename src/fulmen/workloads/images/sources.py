"""Where images come from: scikit-learn's digits, an array file, or torchvision's CIFAR-10.

Each gives `x_train` and `x_test` uint8 [N, 3, H, W], `y_train` and `y_test` int64 [N] from 0 to C - 1.
"""

import zipfile
from pathlib import Path

import numpy as np

from fulmen.errors import FulmenError

NAMES = ("x_train", "y_train", "x_test", "y_test")
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def digits() -> dict[str, np.ndarray]:
    """The 1,797 handwritten digits that come with scikit-learn, 8 x 8 grey, enlarged to 32 x 32 RGB; a fifth tests."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    grey = np.round(images.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8).repeat(4, 1).repeat(4, 2)
    train, test = train_test_split(np.arange(len(labels)), test_size=0.2, stratify=labels, random_state=0)
    x = np.repeat(grey[:, None], 3, axis=1)
    return {"x_train": x[train], "y_train": labels[train], "x_test": x[test], "y_test": labels[test]}


def cifar10(folder: Path) -> dict[str, np.ndarray]:
    """CIFAR-10 in `folder`, downloaded first if it is not there; torchvision holds every file against its checksum.

    Raises:
        FulmenError: no network, or an archive that is damaged.
    """
    from torchvision.datasets import CIFAR10 as Dataset

    arrays = {}
    for part, train in (("train", True), ("test", False)):
        try:
            dataset = Dataset(str(folder), train=train, download=True)
        except (OSError, EOFError, RuntimeError) as error:
            raise FulmenError(
                f"cifar10: no whole copy in {folder} and no download ({error}); put {Dataset.filename} "
                f"from {Dataset.url} there, or give data.arrays=<file.npz>"
            ) from error
        arrays[f"x_{part}"] = np.ascontiguousarray(dataset.data.transpose(0, 3, 1, 2))
        arrays[f"y_{part}"] = np.array(dataset.targets)
    return arrays


def array_file(path: Path, classes: int) -> dict[str, np.ndarray]:
    """An .npz with `NAMES`: images uint8 [N, H, W, 3] or grey [N, H, W], labels whole numbers [N].

    Raises:
        FulmenError: what is missing or has another shape, type or range.
    """
    stored = read_npz(path)
    missing = [name for name in NAMES if name not in stored]
    if missing:
        raise FulmenError(f"arrays: {path} has no {', '.join(missing)}; it needs {', '.join(NAMES)}")
    arrays = {}
    for part in ("train", "test"):
        arrays[f"x_{part}"] = as_images(stored[f"x_{part}"], f"{path}: x_{part}")
        arrays[f"y_{part}"] = _labels(stored[f"y_{part}"], len(arrays[f"x_{part}"]), classes, f"{path}: y_{part}")
    sizes = {arrays[f"x_{part}"].shape[2:] for part in ("train", "test")}
    if len(sizes) > 1:
        raise FulmenError(f"arrays: {path}: x_train and x_test differ in height and width: {sorted(sizes)}")
    return arrays


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """The named arrays in an .npz; what is in an .npy is called `x`.

    Raises:
        FulmenError: there is no file, or it is truncated or something else.
    """
    if not path.is_file():
        raise FulmenError(f"there is no file {path}")
    try:
        stored = np.load(path, allow_pickle=False)
        if isinstance(stored, np.ndarray):
            return {"x": stored}
        with stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        reason = "it is no array, or an array of objects" if "pickle" in str(error) else error
        raise FulmenError(f"{path} is damaged or no .npz or .npy: {reason}") from error


def as_images(x: np.ndarray, label: str) -> np.ndarray:
    """uint8 [N, H, W, 3] or [N, H, W] as [N, 3, H, W].

    Raises:
        FulmenError: another shape or type, or no image at all.
    """
    if x.dtype != np.uint8:
        raise FulmenError(f"{label} is {x.dtype}; it must be uint8, 0 to 255")
    if x.ndim not in (3, 4) or (x.ndim == 4 and x.shape[3] != 3):
        raise FulmenError(f"{label} has shape {list(x.shape)}; it must be [N, H, W, 3] or [N, H, W]")
    if not x.size:
        raise FulmenError(f"{label} holds no image")
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if x.ndim == 4 else np.repeat(x[:, None], 3, axis=1)


def _labels(y: np.ndarray, images: int, classes: int, label: str) -> np.ndarray:
    if y.dtype.kind not in "iu" or y.shape != (images,):
        raise FulmenError(f"{label} is {y.dtype} {list(y.shape)}; it must be whole numbers [{images}], one per image")
    wrong = np.flatnonzero((y < 0) | (y >= classes))
    if len(wrong):
        raise FulmenError(
            f"{label}[{wrong[0]}] is {y[wrong[0]]}; labels are 0 to {classes - 1} (data.classes={classes})"
        )
    absent = np.setdiff1d(np.arange(classes), y)
    if len(absent) and "train" in label:
        there = int(y.max()) + 1
        hint = f"; these are data.classes={there}" if len(absent) == classes - there else ""
        raise FulmenError(f"{label} has no image of class {absent[0]}; data.classes={classes} needs some of each{hint}")
    return y.astype(np.int64)
