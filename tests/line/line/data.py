"""Points on a line, with noise: the smallest data one can learn from."""

import torch

import fulmen


class LineData(fulmen.WorkloadData):
    """y = 2 x + 1 + noise; a batch holds `x` [B, 1], `y` [B, 1] and `item` [B].

    Args:
        samples: in all splits together.
        fold: which fifth tests.
    """

    def __init__(self, samples: int = 100, seed: int = 0, fold: int | None = None, folds: int = 5):
        super().__init__(batch_size=10, seed=seed)
        self.samples, self.fold, self.folds = samples, fold or 0, folds
        self.fingerprint = f"line-{samples}-{seed}-{self.fold}-{folds}"

    def setup(self, stage: str | None = None) -> None:
        generator = torch.Generator().manual_seed(self.seed)
        x = torch.randn(self.samples, 1, generator=generator)
        y = 2 * x + 1 + 0.1 * torch.randn(self.samples, 1, generator=generator)
        item = torch.arange(self.samples)
        tested = item % self.folds == self.fold
        validated = ~tested & (item % 7 == 0)
        places = {"train": ~tested & ~validated, "validation": validated, "test": tested}
        self.splits = {name: {"x": x[at], "y": y[at], "item": item[at]} for name, at in places.items()}
