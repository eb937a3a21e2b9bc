"""The colours of figures can be told apart by the colour-blind, and seen on light and dark grounds."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import fulmen.report
from fulmen.report.figures import COOL, INK, MODEL, MUTED, TRUTH

# Machado, Oliveira & Fernandes (2009), severity 1.0, on linear RGB
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
LINES = (TRUTH, MODEL, *COOL)  # what figures draw beside each other
PAGE = Path(fulmen.report.__file__).with_name("page.html").read_text()
DARK = re.findall(r"--paper: (#[0-9a-f]{6})", PAGE)[0]
APART = 12.0  # CIE76: five times what is just noticeable side by side
SEEN = 2.0  # contrast (WCAG) of a line or dot with its ground; text needs 4.5


def linear(colour):
    """`#rrggbb` as linear RGB in 0 ... 1."""
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b* (D65) of linear RGB."""
    xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                    [0.0193339, 0.1191920, 0.9503041]]) @ rgb / [0.95047, 1.0, 1.08883]  # fmt: skip
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def seen_by(kind, colour):
    return np.clip(np.array(BLINDNESS[kind]) @ linear(colour), 0, 1)


def contrast(one, other):
    """WCAG 2 contrast ratio of two linear colours."""
    low, high = sorted(np.array([0.2126, 0.7152, 0.0722]) @ rgb for rgb in (one, other))
    return (high + 0.05) / (low + 0.05)


def on_dark(colour):
    """What the page makes of a colour of a figure on a dark screen, by the filters and the blending of its CSS."""
    assert "filter: invert(1) hue-rotate(180deg); mix-blend-mode: screen" in PAGE
    value, ground = (np.array([int(each[i : i + 2], 16) for i in (1, 3, 5)]) / 255 for each in (colour, DARK))
    turned = np.clip(2 * np.array([0.213, 0.715, 0.072]) @ (1 - value) - (1 - value), 0, 1)  # hue-rotate by half a turn
    return "#" + "".join(f"{round(255 * each):02x}" for each in 1 - (1 - turned) * (1 - ground))


def test_the_matrices_keep_grey_and_known_confusions():
    for kind in BLINDNESS:
        assert seen_by(kind, "#808080") == pytest.approx(linear("#808080"), abs=2e-3)
    red, green = (lab(seen_by("deuteranopia", colour)) for colour in ("#a05030", "#607020"))
    assert np.linalg.norm(red - green) < np.linalg.norm(lab(linear("#a05030")) - lab(linear("#607020"))) / 2
    assert contrast(linear("#000000"), linear("#ffffff")) == pytest.approx(21)


@pytest.mark.parametrize("ground", ["light", "dark"])
@pytest.mark.parametrize("kind", BLINDNESS)
def test_colours_drawn_together_are_told_apart(kind, ground):
    shown = LINES if ground == "light" else tuple(map(on_dark, LINES))
    found = {pair: np.linalg.norm(np.subtract(*(lab(seen_by(kind, colour)) for colour in pair)))
             for pair in combinations(shown, 2)}  # fmt: skip
    assert {pair: round(value, 1) for pair, value in found.items() if value < APART} == {}


@pytest.mark.parametrize("kind", BLINDNESS)
def test_every_colour_is_seen_on_its_ground(kind):
    grounds = {"#ffffff": LINES, DARK: tuple(map(on_dark, LINES))}
    found = {(colour, ground): contrast(seen_by(kind, colour), seen_by(kind, ground))
             for ground, colours in grounds.items() for colour in colours}  # fmt: skip
    assert {pair: round(value, 2) for pair, value in found.items() if value < SEEN} == {}


def test_letters_are_read_on_white():
    assert min(contrast(linear(colour), linear("#ffffff")) for colour in (INK, MUTED)) >= 4.5
