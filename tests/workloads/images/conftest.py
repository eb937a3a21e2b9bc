"""Small data modules."""

import numpy as np
import pytest

from fulmen.workloads.images.data import ImagesData


@pytest.fixture
def arrays(tmp_path):
    """Writes an .npz of 3 classes, 16 x 16 pixels whose brightness tells the class; entries can be replaced."""

    def write(name="photos.npz", **changed):
        rng = np.random.default_rng(0)
        entries = {}
        for part, n in (("train", 150), ("test", 45)):
            y = np.arange(n) % 3
            x = 40 + 80 * y[:, None, None, None] + rng.integers(-30, 30, (n, 16, 16, 3))
            entries |= {f"x_{part}": x.clip(0, 255).astype(np.uint8), f"y_{part}": y}
        entries |= changed
        np.savez(tmp_path / name, **{key: value for key, value in entries.items() if value is not None})
        return str(tmp_path / name)

    return write


@pytest.fixture
def data(arrays):
    def make(**arguments):
        made = ImagesData(arrays=arrays(), classes=3, **arguments)
        made.prepare_data()
        made.setup()
        return made

    return make
