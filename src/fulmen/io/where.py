"""How a message names a cell."""

from collections.abc import Sequence

import numpy as np


class Where:
    """`readings.csv, row 7, column light_lux`

    Args:
        source: the file.
        line: number of each row, as a person sees it [N].
        word: what a row is called, `row` or `line`.
    """

    def __init__(self, source: str, line: np.ndarray | Sequence[int], word: str = "row"):
        self.source, self.line, self.word = source, np.asarray(line), word

    def __call__(self, position: int, column: str) -> str:
        return f"{self.source}, {self.word} {self.line[position]}, column {column}"


class InRecords(Where):
    """`rows[7].light_lux`, of values in memory."""

    def __call__(self, position: int, column: str) -> str:
        return f"{self.source}[{self.line[position]}].{column}"
