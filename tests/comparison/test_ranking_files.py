"""What a ranking says to do next follows from whether it tells the first from any other."""

import pytest

from fulmen.comparison.entrants import entrants
from fulmen.comparison.places import conclusion
from fulmen.comparison.ranking_files import next_of


def rows(*p):
    return [{"model": name, "p": value} for name, value in zip(("mlp", "logistic", "forest"), (None, *p), strict=True)]


@pytest.mark.parametrize(
    ("p", "seeds", "holds", "said"),
    [
        ((0.01, 0.01), 1, "fulmen models save", "every other differs"),
        ((0.01, 0.6), 1, "fulmen models save", "not shown to differ from forest (p"),
        ((0.6, 0.6), 1, "fulmen rank sensors network=mlp,logistic --folds 3 --seeds 3", "from any of the 2 others (p"),
        ((0.6, 0.6), 3, "fulmen rank sensors network=mlp,logistic --folds 3 --seeds 6", "from any of the 2 others (p"),
    ],
)
def test_a_model_is_kept_only_where_the_folds_tell_the_first_from_another(p, seeds, holds, said, tmp_path):
    asked = entrants("sensors", ["network=mlp,logistic"])
    why, command = next_of(tmp_path, asked, rows(*p), 3, seeds)
    assert why.endswith(":")
    assert holds in command
    assert said in conclusion(rows(*p), "ROC-AUC")
