"""The two curves in a log of this or another tool."""

import math
import re
from pathlib import Path
from typing import NamedTuple

from fulmen.diagnosis.tables import number, read_table
from fulmen.errors import FulmenError

LOSSES = ("loss", "nll", "crossentropy", "xent", "ce", "bce", "logloss", "mlogloss", "mse", "rmse", "mae", "error",
          "err", "merror", "deviance", "perplexity", "ppl", "cost", "objective")  # fmt: skip
ACCURACIES = ("accuracy", "acc", "acc1", "top1")  # where there is no loss; judged is what they leave to 1 or 100
TRAINING = ("train", "training", "tr", "trn", "fit")
VALIDATION = ("val", "valid", "validation", "eval", "evaluation", "dev", "heldout", "holdout")
LOST = 3  # rows without losses at the end of a log that has no others
TESTING = ("test", "testing")  # only where there is no validation


class Log(NamedTuple):
    """One value per check, None where there is none.

    Attributes:
        train: losses, or error rates where a log has accuracies only.
        val: likewise.
        epochs: their numbers from 1; None if the log does not say.
        errors: whether the values are error rates.
        from_zero: whether the log itself counts them from 0.
    """

    train: list[float | None]
    val: list[float | None]
    epochs: list[int] | None
    errors: bool = False
    from_zero: bool = False


def read_log(path: Path, train: str | None = None, val: str | None = None) -> Log:
    """Training and validation losses of a log.

    Rows with the same `epoch` are one check: Lightning writes training and validation into different rows. Without a
    header the first two columns are training and validation, or those behind a count of the epochs. JSON holds lists by
    name, records, or two lists.

    Args:
        train: column of the training loss; found by its name where it is not given.
        val: column of the validation loss.

    Raises:
        FulmenError: no such file, no table, no column of a loss, a cell that is no number.
    """
    header, rows = read_table(path)
    found = {part: _asked(path, header, name) for part, name in (("train", train), ("val", val))}
    guessed = _columns(header)
    train, val = found["train"] or guessed[0], found["val"] or guessed[1]
    if train is None and val is None:
        raise FulmenError(f"{path} has no column of a loss among {', '.join(header)}; name them: --train, --val")
    log = _checks(path, header, rows, train, val)
    words = set().union(*(_words(name) for name in (train, val) if name))
    return _errors(log) if words & set(ACCURACIES) and not words & set(LOSSES) else log


def _checks(path: Path, header: list[str], rows: list[list[str]], train: str | None, val: str | None) -> Log:
    """One check per epoch: the mean of its training losses, the last of its validation losses."""
    epoch = next((name for name in header if name.lower() in ("epoch", "epochs")), None)
    found: dict[float, tuple[list[float], list[float]]] = {}
    blank: list[float | int] = []
    for line, row in enumerate(rows, 2):
        cells = dict(zip(header, row, strict=False))
        at = _cell(path, line, epoch, cells.get(epoch, "").partition("/")[0]) if epoch else line
        values = [_cell(path, line, name, cells.get(name, "")) if name else None for name in (train, val)]
        if values == [None, None]:
            blank.append(line if at is None else at)
            continue
        pair = found.setdefault(line if at is None else at, ([], []))
        for kept, value in zip(pair, values, strict=True):
            kept.extend([] if value is None else [value])
    if len(blank) >= LOST and blank[0] > max(found, default=math.inf):  # a table's empty cells: it became NaN
        found |= {at: ([math.nan], [math.nan]) for at in blank}
    losses = [(sum(t) / len(t) if t else None, v[-1] if v else None) for t, v in found.values()]
    from_zero = int(epoch is not None and bool(found) and min(found) == 0)
    epochs = [math.ceil(at) + from_zero for at in found] if epoch else None
    both = sum(t is not None and v is not None for t, v in losses)
    if 2 * both < sum(v is not None for _, v in losses):  # logged at other times: the training losses since the last
        losses, epochs = _joined(losses, epochs)
    return Log([t for t, _ in losses], [v for _, v in losses], epochs, from_zero=bool(from_zero))


def _joined(losses: list[tuple], epochs: list[int] | None) -> tuple[list[tuple], list[int] | None]:
    """Validations with the mean of the training losses that came before, since the last validation."""
    if not any(t is not None for t, _ in losses):
        return losses, epochs
    since, joined, kept = [], [], []
    for i, (t, v) in enumerate(losses):
        since += [] if t is None else [t]
        if v is not None:
            joined.append((sum(since) / len(since) if since else None, v))
            kept.append(i)
            since = []
    return joined, None if epochs is None else [epochs[i] for i in kept]


def _errors(log: Log) -> Log:
    """What accuracies, of 1 or of 100 %, leave."""
    values = [x for x in (*log.train, *log.val) if x is not None and math.isfinite(x)]
    whole = 100.0 if max(values, default=1.0) > 1.5 else 1.0
    train, val = ([None if x is None else whole - x for x in xs] for xs in (log.train, log.val))
    return log._replace(train=train, val=val, errors=True)


def _asked(path: Path, header: list[str], name: str | None) -> str | None:
    if name is not None and name not in header:
        raise FulmenError(f"{path} has no column {name}; it has {', '.join(header)}")
    return name


def _columns(header: list[str]) -> tuple[str | None, str | None]:
    """Those whose names say what they are: the same quantity of training and validation, if there is one."""
    words = {name: _words(name) for name in header}
    pairs = [_pair(words, quantity) for quantity in (*LOSSES, *ACCURACIES)]
    pairs.append(_bare(words))
    whole = [pair for pair in pairs if None not in pair]
    halves = [pair for pair in pairs if pair != (None, None)]
    return next(iter(whole + halves), (None, None))


def _pair(words: dict[str, set[str]], quantity: str) -> tuple[str | None, str | None]:
    def plainest(names: list[str]) -> str | None:
        return min(names, key=lambda name: ("step" in words[name], len(name)), default=None)

    found = {name: each for name, each in words.items() if quantity in each}
    train = [name for name, each in found.items() if each & set(TRAINING)]
    unnamed = [name for name, each in found.items() if not each & {*TRAINING, *VALIDATION, *TESTING}]
    val = [name for name, each in found.items() if each & set(VALIDATION)]
    test = [name for name, each in found.items() if each & set(TESTING)]
    return plainest(train or unnamed), plainest(val or test)


def _bare(words: dict[str, set[str]]) -> tuple[str | None, str | None]:
    """Columns that are called nothing but `train` and `val`."""
    train, val, test = (
        next((name for name, each in words.items() if each and each <= set(part)), None)
        for part in (TRAINING, VALIDATION, TESTING)
    )
    return (train, val or test) if train and (val or test) else (None, None)


def _words(name: str) -> set[str]:
    """`trainLoss`, `train_losses`, `trainloss` as train and loss; cross entropy is one word."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
    spaced = re.sub(
        r"cross[^a-z0-9]*entropy", "crossentropy", spaced.replace("losses", "loss").replace("errors", "error")
    )
    words = {word for word in re.split(r"[^a-z0-9]+", spaced) if word}
    for word in list(words):
        for part in (*TRAINING, *VALIDATION, *TESTING):
            if word.startswith(part) and word[len(part) :] in (*LOSSES, *ACCURACIES):
                words |= {part, word[len(part) :]}
    return words


def _cell(path: Path, line: int, name: str, text: str) -> float | None:
    if text.lower() in ("", "na", "n/a", "none", "null", "-"):
        return None
    value = number(text)
    if value is None:
        raise FulmenError(f"{path}, line {line}: {name} is {text!r}, no number")
    return value
