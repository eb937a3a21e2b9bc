"""Every finding that fulmen can report, under a code that stays the same: `FUL-D03 overfitting`.

A letter says where a finding comes from: D the diagnosis of a training, L the search for leaks in the data, V what a
test split shows, T what makes data unfit to be judged by. Codes are never given to another finding.
Each has a page in docs/findings: what it means, how it is decided, how often it is wrong, and what cures it.
"""

import re
from difflib import get_close_matches
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
    "not_enough_data", "undecided", "constant_curve",
)  # fmt: skip
LEAKS = (
    "no_leak_found", "copies", "near_copies", "group_in_several_splits", "time_order", "identifier", "target_copy",
    "target_proxy", "look_ahead", "fitted_on_test", "chosen_on_test", "above_ceiling", "learns_permuted_labels",
    "repeated_within",
)  # fmt: skip
SHOWN = (
    "better_than_baselines", "better_than_constant", "no_signal", "undecided_result", "worse_than_constant", "too_few",
    "no_difference", "many_tries", "test_seen_often", "worse_than_simple",
)  # fmt: skip
UNFIT = (
    "constant_target", "one_class_in_a_split", "one_group", "too_few_rows", "unsorted_times", "irregular_times",
    "no_validation",
)  # fmt: skip
LETTERS = {"D": DIAGNOSIS, "L": LEAKS, "V": SHOWN, "T": UNFIT}
CODE = re.compile(r"(ful-)?[a-z]\d{2,}")
FINDINGS = {  # name -> finding
    name: Finding(f"FUL-{letter}{number:02d}", name)
    for letter, names in LETTERS.items()
    for number, name in enumerate(names)
}


class Coded:
    """What is told under a finding's name.

    Attributes:
        code: the name, a key of `FINDINGS`; `id` is its code among all findings.
    """

    code: str

    @property
    def id(self) -> str:
        """`FUL-L06`, the code that stays; docs/findings has a page of that name."""
        return FINDINGS[self.code].code

    @property
    def heading(self) -> str:
        """`FUL-L06 target copy`"""
        return str(FINDINGS[self.code])


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
    known = [*FINDINGS, *(each.code.lower() for each in FINDINGS.values())]
    near = [] if CODE.fullmatch(plain) else get_close_matches(plain, known, n=1)  # no number is near another one
    meant = f"; did you mean {FINDINGS[near[0]] if near[0] in FINDINGS else near[0].upper()}?" if near else ""
    raise FulmenError(f"there is no finding {word!r}{meant}; docs/findings/README.md lists them all")
