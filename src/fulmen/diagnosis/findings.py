"""Every finding that fulmen can report, under a code that stays the same: `FUL-D03 overfitting`.

A letter says where a finding comes from, D for the diagnosis of a training. Codes are never given to another finding.
Each has a page in docs/findings: what it means, how it is decided, how often it is wrong, and what cures it.
"""

from typing import NamedTuple

from fulmen.errors import FulmenError


class Finding(NamedTuple):
    """`FUL-D03 overfitting`."""

    code: str
    name: str

    def __str__(self) -> str:
        return f"{self.code} {self.name.replace('_', ' ')}"

    @property
    def page(self) -> str:
        """Its page, from the root of the repository."""
        return f"docs/findings/{self.code}.md"


DIAGNOSIS = (  # in the order of their numbers, from 0 on
    "good_fit", "non_finite", "diverged", "overfitting", "underfitting", "no_learning", "generalization_gap",
    "past_its_best", "plateau", "still_improving", "noisy_validation", "validation_too_good", "exploding", "vanishing",
    "dead_units", "saturated", "class_collapse", "minority_overfitting", "small_validation_set", "small_classes",
    "miscalibrated", "underconfident", "updates_too_large", "updates_too_small", "different_units", "one_curve",
    "not_enough_data", "undecided",
)  # fmt: skip
FINDINGS = {name: Finding(f"FUL-D{number:02d}", name) for number, name in enumerate(DIAGNOSIS)}  # name -> finding


def finding(word: str) -> Finding:
    """The finding that a user means by its code, with or without `FUL-`, or its name.

    Raises:
        FulmenError: there is none.
    """
    plain = word.strip().lower().replace(" ", "_")
    for each in FINDINGS.values():
        code = each.code.lower()
        if plain in (code, code.removeprefix("ful-"), each.name, f"{code}_{each.name}"):
            return each
    raise FulmenError(f"there is no finding {word!r}; there are {', '.join(map(str, FINDINGS.values()))}")
