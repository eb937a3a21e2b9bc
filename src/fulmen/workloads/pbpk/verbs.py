"""What `fulmen pbpk ...` does."""

from collections.abc import Callable, Sequence
from typing import Any

from fulmen.config.check import build
from fulmen.errors import FulmenError
from fulmen.workload import Trained


def export(cfg: Any, words: Sequence[str]) -> None:
    """Write subjects and what the solver says of them: fulmen pbpk export subjects.npz data.compounds=50

    Args:
        cfg: checked; its data are exported.
        words: the file.
    """
    if len(words) != 1 or words[0].startswith("-"):
        raise FulmenError("fulmen pbpk export takes one file: fulmen pbpk export subjects.npz data.compounds=50")
    data = build(cfg.data, "data")
    written = data.export(words[0])
    print(f"written: {written}, subjects of {data.prior['population']} (data.population=<name>: of another)")


def simulate(cfg: Any, words: Sequence[str], load: Callable[[str], Trained]) -> None:
    """Solve the subjects of a CSV: fulmen pbpk simulate people.csv --to curves.csv; --help says more

    Args:
        cfg: checked; nothing of it may have been set.
        words: the table and the options.
        load: finds the model that `--model` names.
    """
    from fulmen.workloads.pbpk.simulate.verb import simulate

    simulate(cfg, words, load)
