"""A place in pictures that tells their class: a watermark, a corner, a channel that stands still."""

from dataclasses import dataclass

import numpy as np

from fulmen.data.leaks.leak import Leak, Severity
from fulmen.data.leaks.samples import TRAIN, Samples

MOST = 6_000  # pictures that are looked at
LARGEST = 0.1  # of the picture that a mark may cover
MARGIN = 2  # pixels around a mark that do not count as elsewhere
UNLIKELY = 1e-9  # the chance of a place that tells so much where none does
CERTAIN, BELOW, EDGE = 0.9, 0.75, 0.2  # explained by a mark at the edge, and elsewhere, and how far in an edge reaches
LEVELS, LIGHT = (0.1, 0.5, 0.9), 0.22  # of the pixels of a picture, and what the class explains of each of them
PATCH = 0.12  # explained by a patch at the edge, at least
TELLING = 0.5  # of the way from chance to certainty
NEARLY_ALL = 0.98  # balanced accuracy of a mark that tells the class


@dataclass(frozen=True)
class Mark:
    """Where pictures tell their class.

    Attributes:
        rows: first and one past the last row of pixels.
        columns: first and one past the last column of pixels.
        share: of the variance of its strongest pixel that the classes explain.
        elsewhere: the same, of the strongest pixel anywhere else.
        inside: its pixels [H, W].
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    share: float
    elsewhere: float
    inside: np.ndarray


def marks(samples: Samples) -> list[Leak]:
    """Small places in pictures that tell the class, where all others tell far less."""
    content = samples.content
    if content is None or content.dtype != np.uint8 or content.ndim != 4 or samples.kind != "classes":
        return []
    rows = samples.rows(TRAIN)
    rows = rows[np.linspace(0, len(rows) - 1, min(MOST, len(rows))).astype(int)] if len(rows) else rows
    label, count = np.unique(samples.target[rows], return_inverse=True)[1], len(np.unique(samples.target[rows]))
    if len(rows) < 30 or count < 2 or min(content.shape[2:]) < 6:
        return []
    image = content[rows].astype(np.float32)
    found = [*_of_a_place(samples, image, label), *_of_a_channel(samples, image, label)]
    return found or _of_the_light(samples, image, label)


def _of_a_place(samples: Samples, image: np.ndarray, label: np.ndarray) -> list[Leak]:
    classes = int(label.max()) + 1
    mark = mark_in(explained(image, label), len(label), classes)
    mark = mark or mark_in(explained(image - _around(image), label), len(label), classes)
    mark = mark or _of_one_colour(image, explained(image, label))
    if mark is None:
        return []
    inside = np.flatnonzero(mark.inside.ravel())
    parts = image.reshape(*image.shape[:2], -1)[:, :, inside].reshape(len(image), -1)
    score = told(parts, label)
    chance = 1 / (int(label.max()) + 1)
    if score - chance < 0.05:
        return []
    (top, bottom), (left, right) = mark.rows, mark.columns
    where = f"rows {top} to {bottom - 1}, columns {left} to {right - 1}"
    height, width = image.shape[2:]
    edge = min(top, left, height - bottom, width - right) <= MARGIN
    finding = (
        f"a small place {'at the edge' if edge else 'within'} of the pictures tells their class: {where} alone give "
        f"{score:.1%} balanced accuracy where chance gives {chance:.1%}"
    )
    evidence = {"rows": list(mark.rows), "columns": list(mark.columns), "score": score, "chance": chance,
                "explained": mark.share, "explained_elsewhere": mark.elsewhere}  # fmt: skip
    added = edge or score >= NEARLY_ALL or _is_flat(image, mark.inside)  # else it may be what the pictures show
    grave: Severity = "error" if score >= chance + 0.15 else "warning"
    code = "target_copy" if score >= NEARLY_ALL else "target_proxy"
    return [Leak(code, grave if added else "note", finding, (f"pixels {where}",), evidence)]


def mark_in(share: np.ndarray, pictures: int, classes: int) -> Mark | None:
    """The small place that tells the class, where there is one.

    Args:
        share: of the variance of each pixel that the classes explain [H, W].
    """
    from scipy.ndimage import binary_dilation
    from scipy.stats import chi2

    peak = float(share.max())
    least = max(0.02, float(chi2.isf(UNLIKELY, classes - 1)) / pictures)
    if peak < least:
        return None
    for level, below in ((0.5, 1 / 3), (0.85, 0.75)):
        inside = share >= level * peak
        around = binary_dilation(inside, iterations=MARGIN, structure=np.ones((3, 3)))
        elsewhere = float(share[~around].max()) if (~around).any() else peak
        if inside.mean() > LARGEST or elsewhere > below * peak:
            continue
        if level == 0.5 or (peak > CERTAIN and _edge_of(inside) < EDGE):
            return _mark(share, inside, elsewhere)
    return _at_the_edge(share, least)


def _at_the_edge(share: np.ndarray, least: float) -> Mark | None:
    """A patch at the edge that tells three times what its surroundings tell, whatever the middle of pictures tells."""
    from scipy.ndimage import binary_dilation, label

    height, width = share.shape
    down, across = np.mgrid[:height, :width]
    band = np.minimum(_from_edge(down, height), _from_edge(across, width)) < EDGE / 2
    peak = float(share[band].max())
    if peak < max(2 * least, PATCH):
        return None
    parts, _ = label(share >= peak / 2)
    inside = parts == parts.ravel()[np.where(band, share, -1).argmax()]
    near = binary_dilation(inside, structure=np.ones((3, 3)))
    ring = binary_dilation(near, iterations=MARGIN + 1, structure=np.ones((3, 3))) & ~near
    if inside.mean() > LARGEST / 2 or _edge_of(inside) > EDGE or share[ring].max(initial=0.0) > peak / 3:
        return None
    return _mark(share, inside, float(share[ring].max(initial=0.0)))


def _of_one_colour(image: np.ndarray, share: np.ndarray) -> Mark | None:
    """A patch at the edge whose pixels are the same as each other in nearly all pictures, and which tells the class."""
    height, width = share.shape
    down, across = np.mgrid[:height, :width]
    telling = (share >= PATCH) & (np.minimum(_from_edge(down, height), _from_edge(across, width)) < EDGE / 2)
    inside = _flat(image, telling)
    if not inside.any() or inside.mean() > LARGEST / 2:
        return None
    return _mark(share, inside, float(share[~inside].max()))


def _flat(image: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Those of some pixels that equal one beside them in nearly all pictures, bool [H, W]."""
    found = np.zeros_like(among)
    for one, other in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:, :], np.s_[:-1, :])):
        pair = among[one] & among[other]
        if pair.any():
            equal = (image[(..., *one)] == image[(..., *other)]).all(1).mean(0) > NEARLY_ALL
            found[one] |= pair & equal
            found[other] |= pair & equal
    return found


def _is_flat(image: np.ndarray, inside: np.ndarray) -> bool:
    """Whether most of a place has one colour in each picture, as what is stamped on it has."""
    return bool(_flat(image, inside).sum() > inside.sum() / 2)


def _mark(share: np.ndarray, inside: np.ndarray, elsewhere: float) -> Mark:
    down, across = np.nonzero(inside)
    rows, columns = (int(down.min()), int(down.max()) + 1), (int(across.min()), int(across.max()) + 1)
    return Mark(rows, columns, float(share[inside].max()), elsewhere, inside)


def _edge_of(inside: np.ndarray) -> float:
    """How far from the edge the innermost pixel lies, as a share of the size."""
    down, across = np.nonzero(inside)
    return float(np.minimum(_from_edge(down, inside.shape[0]), _from_edge(across, inside.shape[1])).max())


def _from_edge(place: np.ndarray, size: int) -> np.ndarray:
    return np.minimum(place, size - 1 - place) / size


def _around(image: np.ndarray) -> np.ndarray:
    """The mean of 7 x 7 pixels around each [N, C, H, W]."""
    from scipy.ndimage import uniform_filter1d

    return uniform_filter1d(uniform_filter1d(image, 7, axis=3), 7, axis=2)


def explained(image: np.ndarray, label: np.ndarray, apart: bool = False) -> np.ndarray:
    """Share of the variance of each pixel that the class explains, of its most telling channel [H, W].

    Args:
        image: [N, C, H, W], float32.
        label: [N], from 0 on.
        apart: each channel for itself [C, H, W].
    """
    flat = image.reshape(len(image), -1)
    member = np.equal.outer(np.arange(label.max() + 1), label).astype(np.float32)  # [classes, N]
    counts = member.sum(1, keepdims=True)
    mean = flat.mean(0)
    between = (counts * np.square(member @ flat / counts - mean)).sum(0)
    total = np.square(flat - mean).sum(0)
    share = np.where(total > len(flat) * 1e-3, between / np.maximum(total, 1e-3), 0)
    share = share.reshape(image.shape[1:])
    return share if apart else share.max(0)


def told(parts: np.ndarray, label: np.ndarray) -> float:
    """Balanced accuracy of a small tree on numbers [N, D], each half judged by the tree of the other."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    if np.bincount(label).min() < 2:
        return 0.0
    widest = parts[:, np.argsort(-parts.std(0))[:64]]
    tree = DecisionTreeClassifier(max_depth=8, min_samples_leaf=3, class_weight="balanced", random_state=0)
    guess = cross_val_predict(tree, widest, label, cv=StratifiedKFold(2, shuffle=True, random_state=0))
    return float(np.mean([(guess[label == c] == c).mean() for c in range(int(label.max()) + 1)]))


def _of_the_light(samples: Samples, image: np.ndarray, label: np.ndarray) -> list[Leak]:
    """Light or tint of whole pictures, dark and bright pixels alike, that tells the class: of a camera, say."""
    flat = image.mean(1).reshape(len(image), -1)
    levels = np.quantile(flat, LEVELS, axis=1).T.astype(np.float32)  # [N, levels]
    share = explained(levels[:, :, None, None], label, apart=True)
    contrast = float(explained((levels[:, -1] - levels[:, 0])[:, None, None, None], label).max())
    if share.min() < LIGHT or contrast > share.min() / 2:
        return []
    classes = int(label.max()) + 1
    score, chance = told(levels, label), 1 / classes
    finding = (
        f"the light of whole pictures, in their dark and their bright parts alike, tells the class: {score:.1%} "
        f"balanced accuracy where chance gives {chance:.1%}"
    )
    evidence = {"score": score, "chance": chance, "explained": float(share.min())}
    return [Leak("target_proxy", "error" if share.min() > 2 * LIGHT else "warning", finding, ("light",), evidence)]


def _of_a_channel(samples: Samples, image: np.ndarray, label: np.ndarray) -> list[Leak]:
    """Channels that stand still in whole pictures, and pictures without colour, where these tell a class."""
    still = image.std((2, 3)) < 0.5  # [N, C]
    blank = still.all(1)
    features = {f"channel {i} stands still": still[:, i] & ~blank for i in range(still.shape[1])}
    if image.shape[1] == 3:
        features["there is no colour"] = (np.abs(image - image[:, :1]).max((1, 2, 3)) < 1) & ~blank
    for name, true in features.items():
        shares = [(float(true[label == c].mean()), float(true[label != c].mean())) for c in range(label.max() + 1)]
        there, other = max(shares, key=lambda each: abs(each[0] - each[1]))
        if abs(there - other) > TELLING:
            finding = f"{name} in {there:.0%} of the pictures of one class and in {other:.0%} of all others"
            code = "target_copy" if label.max() == 1 and abs(there - other) > NEARLY_ALL else "target_proxy"
            return [Leak(code, "error", finding, (name.split(" stands")[0],), {"share": there, "others": other})]
    for i in np.flatnonzero(still.all(0) & ~blank.all()):
        chance, score = 1 / (int(label.max()) + 1), told(image[:, i].mean((1, 2))[:, None], label)
        if score > chance + TELLING * (1 - chance):
            finding = f"channel {i} stands still, and its level tells the class: {score:.1%} balanced accuracy"
            code = "target_copy" if score >= NEARLY_ALL else "target_proxy"
            return [Leak(code, "error", finding, (f"channel {i}",), {"score": score, "chance": chance})]
    return []
