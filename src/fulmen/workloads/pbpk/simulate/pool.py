"""Curves of many people, of whom percentiles are asked: beyond 64 MB they wait on disk, in single precision."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from fulmen.utils.files import cannot_write

IN_MEMORY = 64 << 20  # bytes
AT_ONCE = 4_000_000  # values that are sorted together
WIDTH = np.dtype(np.float32).itemsize


class Pool:
    """Curves [O, T] of one person after another, in blocks; use it in a `with`.

    Args:
        folder: for what does not fit into memory; nothing of it is left there.
    """

    def __init__(self, folder: Path):
        self._folder, self._sizes = folder, list[int]()
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(folder))  # noqa: SIM115  # closed by __exit__
        self._shape = (0, 0)

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, curves: Tensor) -> None:
        """Take the curves [n, O, T] of n people.

        Raises:
            Obstructed: no space is left.
        """
        block = curves.float().permute(1, 2, 0).contiguous().numpy()  # [O, T, n]
        self._shape = block.shape[0], block.shape[1]
        self._sizes.append(block.shape[2])
        try:
            self._file.write(block.tobytes())
        except OSError as error:
            raise cannot_write(self._folder / "curves that wait for their percentiles", error) from error

    def percentiles(self, output: int, shares: Sequence[float]) -> np.ndarray:
        """Of all people, with linear interpolation between neighbours: [K, T] for K shares in percent, float64."""
        times, people = self._shape[1], sum(self._sizes)
        step = max(AT_ONCE // people, 1)
        parts = [self._values(output, start, min(start + step, times)) for start in range(0, times, step)]
        return np.concatenate([np.percentile(part, shares, axis=1) for part in parts], axis=1)

    def _values(self, output: int, start: int, end: int) -> np.ndarray:
        """Of one output at some times: [end - start, people]."""
        found, offset = [], 0
        for size in self._sizes:
            self._file.seek(WIDTH * (offset + (output * self._shape[1] + start) * size))
            raw = self._file.read(WIDTH * (end - start) * size)
            found.append(np.frombuffer(raw, dtype=np.float32).reshape(end - start, size))
            offset += self._shape[0] * self._shape[1] * size
        return np.concatenate(found, axis=1)
