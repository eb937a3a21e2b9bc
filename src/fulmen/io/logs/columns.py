"""Which columns of a log serve as training and validation loss."""

import re
from itertools import pairwise

from fulmen.errors import FulmenError
from fulmen.io.logs.curve import Curve, Pair
from fulmen.io.logs.headless import is_number
from fulmen.io.logs.named import asked, typed
from fulmen.io.logs.options import NONE, Ask, LogOptions
from fulmen.io.logs.table import LogTable
from fulmen.io.logs.words import HIGHER, LOSSES, NO_CURVE, PARTS, plain, words

KNOWN = {*LOSSES, *HIGHER}
FEW = 0.5  # share of the other curve's values below which a column is no curve of its own
BOXES = {"box", "cls", "dfl", "obj", "giou", "l1", "seg", "pose", "kobj", "angle", "rle", "sem"}  # parts of YOLO's loss


def choose(table: LogTable, curves: list[Curve], options: LogOptions, told: list[str]) -> Pair:
    """Training and validation, by name where they are given.

    Args:
        told: lines on what was decided are added here.

    Raises:
        Ask: several would do, none is of a loss, or both are the same.
        FulmenError: there is no such column.
    """
    if options.train or options.val:
        return asked(table, curves, options, told)
    useful = [curve for curve in curves if not set(words(curve.name)) & NO_CURVE]
    told += [
        f"{empty.name} holds no number" + (f" (NaN in {len(empty.rows)} rows)" if len(empty.rows) else "")
        for empty in useful
        if not empty.count and empty.meaning.part and empty.meaning.quantities & set(LOSSES)
    ]
    filled = [curve for curve in useful if curve.count] or [curve for curve in useful if len(curve.rows)]
    half: tuple[Pair, list[str]] | None = None
    open_: Ask | None = None
    for quantity in (*LOSSES, *HIGHER):
        said: list[str] = []
        try:
            pair = _pair(table, filled, quantity, said)
        except Ask as ask:
            if ask.both:
                raise
            open_ = open_ or ask
            continue
        if None not in pair:
            told += said
            return pair
        half = half or ((pair, said) if pair != (None, None) else None)
    bare = _bare(filled)
    bare = _unknown(filled) if bare == (None, None) and half is None and open_ is None else bare
    if None not in bare or (half is None and open_ is None and bare != (None, None)):
        return bare
    if open_ or half is None:
        raise open_ or _no_loss(table, filled)
    told += half[1]
    _tell_others(table, filled, half[0], told)
    return half[0]


def _tell_others(table: LogTable, filled: list[Curve], pair: Pair, told: list[str]) -> None:
    """Name the losses that are not judged beside one alone.

    Raises:
        Ask: one of them is called as the one that was found, but for the word that says the part.
    """
    one = pair[0] or pair[1]
    if one is None or not one.meaning.quantities & set(LOSSES) or one.summed:
        return
    others = [
        each for each in filled
        if each.meaning.quantities & one.meaning.quantities and each.column != one.column and not each.meaning.part
    ]  # fmt: skip
    alike = [each for each in others if one.meaning.part and _counterpart(one.name, each.name)]
    if len(alike) == 1:
        first, second = (one, alike[0]) if pair[0] else (alike[0], one)
        raise Ask(
            f"{table.source}: is {alike[0].name} the counterpart of {one.name}?",
            [("if not", {"train" if pair[0] else "val": typed(table, one), "val" if pair[0] else "train": NONE}),
             ("if so", {"train": typed(table, first), "val": typed(table, second)})],
        )  # fmt: skip
    if others:
        told.append(f"not judged: {', '.join(each.name for each in others[:6])}{', ...' * (len(others) > 6)}")


def _counterpart(one: str, other: str) -> bool:
    """Whether two names have all words in common but one each, and that of `one` says a part: tr_loss and q_loss."""
    first, second = ([word.lower() for word in re.split(r"[\W_]+", name) if word] for name in (one, other))
    own, theirs = set(first) - set(second), set(second) - set(first)
    return len(own) == len(theirs) == 1 and len(first) == len(second) and own <= PARTS.keys()


def _unknown(curves: list[Curve]) -> Pair:
    """The only two that are called alike but for their part, whatever they are."""
    of_part = [[curve for curve in curves if curve.meaning.part == part] for part in ("train", "val")]
    pairs = [(t, v) for t in of_part[0] for v in of_part[1] if t.meaning.rest == v.meaning.rest]
    return pairs[0] if len(pairs) == 1 else (None, None)


def _no_loss(table: LogTable, filled: list[Curve]) -> FulmenError:
    problem = f"{table.source} has no column of a loss among {', '.join(list(table.columns)[:30])}"
    if 2 * sum(name[:1].isdigit() for name in table.columns) > len(table.columns):
        return FulmenError(f"{problem}: those are values; write the names of the columns into a line above them")
    if {"open", "high", "low", "close"} <= {plain(name) for name in table.columns}:
        return FulmenError(f"{problem}: those are prices, no log of a training")
    filled = [curve for curve in filled if table.headless or _may_be_proposed(table, curve)]
    names = list(dict.fromkeys(curve.column for curve in filled))
    if len(names) >= 2 and len(filled) >= 2:
        second = names[2 if table.headless and len(names) == 4 else 1]  # loss and accuracy, of training and validation
        return Ask(f"{problem}; name both", [("", {"train": names[0], "val": second})])
    if filled:
        return Ask(f"{problem}; name it", [("", {"train": names[0], "val": NONE})])
    return FulmenError(f"{problem}; a curve of another name is judged with --train COLUMN, --val COLUMN or both")


def _may_be_proposed(table: LogTable, curve: Curve) -> bool:
    """Whether a column of an unknown name holds numbers that do not rise from row to row, as counts and times do."""
    cells = [table.text(curve.column, row) for row in curve.rows.tolist()]
    if not all(is_number(cell) for cell in cells):
        return False
    try:
        values = [float(cell) for cell in cells]
    except ValueError:  # a decimal comma, a unit
        return True
    return len(values) < 2 or any(after < before for before, after in pairwise(values))


def _pair(table: LogTable, curves: list[Curve], quantity: str, told: list[str]) -> Pair:
    """Training and validation of one quantity."""
    of_it = [curve for curve in curves if quantity in curve.meaning.quantities]
    by_part = {part: [curve for curve in of_it if curve.meaning.part == part] for part in ("train", "", "val", "test")}
    val = by_part["val"] or by_part["test"]
    most = max((curve.count for curve in val), default=0)
    train = [curve for curve in by_part["train"] if curve.count >= max(min(2, most), FEW * most)]
    left = [curve for curve in by_part["train"] if curve not in train]
    if left and (train or by_part[""]):
        told.append(f"left out: {', '.join(f'{c.name} with {c.count} value' + 's' * (c.count > 1) for c in left)}")
    elif not train:
        train = left
    rests = {curve.meaning.rest for curve in val}
    if train and not any(curve.meaning.rest in rests for curve in train):
        train = train + [curve for curve in by_part[""] if curve.meaning.rest in rests]
    return _matched(table, train or by_part[""], val, quantity, told)


def _matched(table: LogTable, train: list[Curve], val: list[Curve], quantity: str, told: list[str]) -> Pair:
    """The two that are called alike; parts of YOLO's loss are added.

    Raises:
        Ask: several would do.
    """
    if not train or not val:
        several = train or val
        found = _plainest(several, quantity)
        if found is None and several:
            if summed := _summed(several):
                told.append(_told_sum(summed))
                return (summed, None) if train else (None, summed)
            raise _several(table, train, val)
        return (found, None) if train else (None, found)
    rests = list(dict.fromkeys(curve.meaning.rest for curve in train))
    both = [rest for rest in rests if any(curve.meaning.rest == rest for curve in val)]
    plainest = [rest for rest in both if rest <= {quantity}] or [rest for rest in both if rest <= KNOWN]
    epochs = [rest for rest in both if rest - {"step"} in both or "step" not in rest]
    for rest in (plainest[:1], epochs if len(epochs) == 1 else [], both):
        if len(rest) == 1:
            t, v = ([curve for curve in part if curve.meaning.rest == rest[0]] for part in (train, val))
            if len(t) == len(v) == 1:
                return t[0], v[0]
            raise _several(table, t, v)
    if len(both) > 1:
        first, second = _summed(train), _summed(val)
        if first and second:
            told += [_told_sum(first), _told_sum(second)]
            return first, second
        raise _several(table, train, val)
    pair = _plainest(train, quantity), _plainest(val, quantity)
    if None in pair:
        raise _several(table, train, val)
    return pair


def _plainest(curves: list[Curve], quantity: str) -> Curve | None:
    """The only one, or the only one that says no more than `quantity`; one of epochs goes before one of steps."""
    for wanted in (curves, [c for c in curves if c.plain], [c for c in curves if c.meaning.rest <= {quantity}]):
        if len(wanted) == 1:
            return wanted[0]
    by_epoch = [curve for curve in curves if "step" not in words(curve.name)]
    return _plainest(by_epoch, quantity) if by_epoch and len(by_epoch) < len(curves) else None


def _summed(curves: list[Curve]) -> Curve | None:
    """The sum of the parts of a YOLO's loss."""
    parts = [curve.meaning.rest - {"loss"} for curve in curves]
    if not all(len(part) == 1 and part <= BOXES for part in parts) or len({tuple(part) for part in parts}) < len(parts):
        return None
    first, *others = curves
    if any(len(other.rows) != len(first.rows) or (other.rows != first.rows).any() for other in others):
        return None
    name = " + ".join(curve.name for curve in curves)
    return Curve(name, first.column, first.rows, first.count, first.meaning, others)


def _told_sum(curve: Curve) -> str:
    return f"{len(curve.summed) + 1} parts of the loss are added"


def _several(table: LogTable, train: list[Curve], val: list[Curve]) -> Ask:
    def names(curves: list[Curve]) -> str:
        return ", ".join(curve.name for curve in curves[:6]) + ", ..." * (len(curves) > 6)

    several = [("training", train)] * (len(train) > 1) + [("validation", val)] * (len(val) > 1)
    what = " and ".join(f"{names(curves)} for {part}" for part, curves in several)
    if train and val:
        common = [(t, v) for t in train for v in val if t.meaning.rest == v.meaning.rest]
        first, second = common[0] if common else (train[0], val[0])
        choice = {"train": typed(table, first), "val": typed(table, second)}
    elif train and len({curve.name.partition(" (column ")[0] for curve in train}) < len(train):  # two of one name
        choice = {"train": typed(table, train[0]), "val": typed(table, train[1])}
    elif len(train) == 2 and not any(curve.meaning.part for curve in train):
        one, other = (typed(table, curve) for curve in train)
        alone = ("one alone", {"train": one, "val": NONE})
        both = ("if the second is of validation", {"train": one, "val": other})
        return Ask(f"{table.source} has several losses, {what}; name those to judge", [alone, both])
    elif train:
        whole = [curve for curve in train if all(word in PARTS or word == "loss" for word in words(curve.name))]
        choice = {"train": typed(table, (whole or train)[0]), "val": NONE}
    else:
        choice = {"train": typed(table, val[0]), "val": typed(table, val[1])}
        what += ", and none for training"
    return Ask(f"{table.source} has several losses, {what}; name those to judge", [("", choice)], bool(train and val))


def _bare(curves: list[Curve]) -> Pair:
    """Columns that are called nothing but train and val; a curve without a name."""
    bare = {part: [curve for curve in curves if curve.meaning.bare and curve.meaning.part == part]
            for part in ("train", "val", "test")}  # fmt: skip
    val = bare["val"] or bare["test"]
    if len(bare["train"]) == 1 and len(val) == 1:
        return bare["train"][0], val[0]
    one = [curve for curve in curves if plain(curve.column) == "value"]
    if one and not any(bare.values()):
        return one[0], None
    if len(bare["train"]) + len(val) == 1:
        return next(iter(bare["train"]), None), next(iter(val), None)
    return None, None
