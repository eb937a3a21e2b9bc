"""Images that anybody can have: scikit-learn's digits, or torchvision's CIFAR-10.

Each gives `x_train` and `x_test` uint8 [N, 3, H, W], `y_train` and `y_test` int64 [N] from 0 to C - 1.
"""

from pathlib import Path

import numpy as np

from fulmen.errors import FulmenError

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
