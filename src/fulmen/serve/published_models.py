"""The 30 networks of the stocks by the numbers, names and categories that programs know them by."""

from functools import cache

from fulmen.config.comments import first_comment
from fulmen.config.places import conf_file, conf_folders

NAMES = (
    "LSTM Classic (64/32)", "LSTM + LayerNorm", "LSTM + BatchNorm", "LSTM Narrow-Deep (32³)", "LSTM Wide-Shallow (256)",
    "GRU Classic (64/32)", "GRU Deep (128/64/32)", "GRU Wide (192/96)", "GRU Residual Dense", "GRU Hybrid (80/80/40)",
    "BiLSTM Classic (64/32)", "BiGRU Classic (64/32)", "BiLSTM Deep (96/64/32)", "BiGRU Deep (96/64/32)",
    "BiLSTM+BiGRU Mix",
    "Stacked LSTM (128→32)", "Stacked GRU (128→32)", "Pyramid LSTM (256→16)", "Inverted Pyramid (32→128)",
    "Diamond LSTM (64/128/128/64)",
    "LSTM Residual v1", "LSTM Residual v2", "Skip Connection Dense", "Highway LSTM", "DenseNet-style LSTM",
    "Self-Attention LSTM", "Multi-Head Attention", "CNN+LSTM Hybrid", "LSTM TimeDistributed", "Ensemble Multi-Path",
)  # fmt: skip
CATEGORIES = {
    "LSTM Base & Variants": range(1, 6),
    "GRU Base & Variants": range(6, 11),
    "Bidirectional": range(11, 16),
    "Stacked Deep Networks": range(16, 21),
    "Residual & Skip Connections": range(21, 26),
    "Attention & Hybrid": range(26, 31),
}
ALL = tuple(range(1, len(NAMES) + 1))


@cache
def networks() -> dict[int, str]:
    """Number -> the choice of `network=` that it stands for."""
    found = (path.stem for folder in conf_folders() for path in (folder / "network" / "stocks").glob("[0-9]*_*.yaml"))
    return {int(name.partition("_")[0]): name for name in sorted(found)}


def name_of(network: str) -> tuple[int, str]:
    """Number and published name of a choice of `network=`."""
    number = int(network.rpartition("/")[2].partition("_")[0])
    return number, NAMES[number - 1]


def description(number: int) -> str:
    """What the network is, as its file says."""
    return first_comment(conf_file(f"network/stocks/{networks()[number]}.yaml"))
