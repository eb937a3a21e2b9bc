"""Leaks that are planted lift the score of a fast model as far as is asked for, in files that are read as any are."""

import numpy as np
import pandas as pd
import pytest
import torch

from fulmen.config.check import build, check_overrides
from fulmen.data.leaks.samples import TEST, TRAIN
from fulmen.diagnosis.findings import FINDINGS
from fulmen.errors import FulmenError
from fulmen.testing import CELLS, MECHANISMS, Curves, Pictures, Prices, Table, plant

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
PLANTED = [(kind, name) for kind, cells in CELLS.items() for name, planter in cells.items() if callable(planter)]


def table(rows=400, effect=0.5):
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, rows)
    x = {f"x{i}": rng.standard_normal(rows) + effect * y for i in range(3)}
    return Table(pd.DataFrame({**x, "failed": y}), "failed", list(x))


def pictures():
    rng = np.random.default_rng(1)
    y = np.arange(360) % 3
    x = (rng.random((360, 8, 8, 3)) * 200 + 6 * y[:, None, None, None]).astype(np.uint8)
    return Pictures(x[:260], y[:260], x[260:], y[260:])


def prices(days=400):
    rng = np.random.default_rng(1)
    close = 50 * np.exp(np.cumsum(0.01 * rng.standard_normal(days)))
    opened = close * np.exp(0.003 * rng.standard_normal(days))
    dates = pd.bdate_range("2020-01-01", periods=days).strftime("%Y-%m-%d")
    return Prices(pd.DataFrame({
        "Date": dates, "Open": opened, "High": np.maximum(opened, close) * 1.004,
        "Low": np.minimum(opened, close) * 0.996, "Close": close, "Volume": rng.lognormal(14, 0.3, days).round(),
        "Ticker": "A",
    }))  # fmt: skip


@pytest.fixture(scope="module")
def curves(tmp_path_factory):
    data = build(check_overrides([
        "experiment=pbpk_mlp", "data.compounds=60", "data.subjects_per_compound=3", "data.validation_compounds=6",
        "data.test_compounds=6", "data.time_points=12", "data.kinetics=linear",
        f"data.cache={tmp_path_factory.mktemp('cache')}", "output_dir=unused",
    ]).data, "data")  # fmt: skip
    path = data.export(tmp_path_factory.mktemp("curves") / "subjects.npz")
    with np.load(path) as arrays:
        return Curves(dict(arrays), 6)


@pytest.fixture(scope="module")
def sources(curves):
    return {Table: table(), Pictures: pictures(), Prices: prices(), Curves: curves}


def test_each_mechanism_is_planted_in_data_of_each_kind_or_there_is_a_reason_why_not():
    for cells in CELLS.values():
        assert tuple(cells) == MECHANISMS
        assert all(callable(cell) or len(cell.split()) > 5 for cell in cells.values())
    assert len(PLANTED) == 24


@pytest.mark.parametrize(("kind", "mechanism"), PLANTED, ids=[f"{kind.__name__}-{name}" for kind, name in PLANTED])
def test_planted_data_are_read_by_the_class_that_reads_a_persons_own(kind, mechanism, sources, tmp_path):
    found = plant(sources[kind], mechanism, 0.8, seed=3)
    data = found.open(tmp_path)
    assert {"train", "validation", "test"} <= set(data.splits)
    assert set(found.expected) <= set(FINDINGS)
    again = plant(sources[kind], mechanism, 0.8, seed=3).open(tmp_path / "again")
    for name, split in data.splits.items():
        other = again.splits[name]
        assert all(torch.equal(value.nan_to_num(), other[key].nan_to_num()) for key, value in split.items())


@pytest.mark.parametrize(
    ("kind", "mechanism"),
    [(Table, "target_copy"), (Table, "identifier"), (Table, "duplicate"), (Table, "temporal"), (Pictures, "group"),
     (Prices, "target_copy"), (Prices, "duplicate"), (Curves, "duplicate"), (Table, "preprocessing")],
)  # fmt: skip
def test_a_perfect_leak_lifts_the_score_far_above_the_honest_one(kind, mechanism, sources):
    found = plant(sources[kind], mechanism, "perfect", seed=0)
    assert found.leaky_score > found.honest_score + 0.1


def test_a_weak_leak_lifts_the_score_by_five_points_and_a_middle_one_by_half_of_a_perfect_one():
    perfect, middle, weak = (plant(table(), "target_proxy", each, seed=1) for each in ("perfect", "middle", "weak"))
    assert weak.leaky_score - weak.honest_score == pytest.approx(0.05, abs=0.02)
    half = (perfect.leaky_score - perfect.honest_score) / 2
    assert middle.leaky_score - middle.honest_score == pytest.approx(half, abs=0.03)
    assert 0 < weak.dial < middle.dial < 1


def test_a_file_with_a_leak_is_trained_on_by_what_is_said_to_type(tmp_path):
    found = plant(table(), "target_proxy", 1.0)
    typed = found.write(tmp_path)
    node = check_overrides([*typed, "output_dir=unused", f"data.cache={tmp_path}"]).data
    assert found.columns[0] in node.numeric
    data = build(node, "data")
    data.setup("fit")
    assert data.splits["train"]["x"].shape[1] == 4


def test_a_hook_that_has_seen_the_test_split_differs_from_one_fitted_again_on_the_training_split(tmp_path):
    for share, seen in ((1.0, True), (0.0, False)):
        samples = plant(table(), "preprocessing", share).open(tmp_path / str(share)).all_samples()
        (fitted,) = [each for each in samples.fitted if "label" in each.name]
        train = fitted.again(samples.rows(TRAIN))
        both = fitted.again(np.concatenate([samples.rows(TRAIN), samples.rows(TEST)]))
        assert np.allclose(fitted.value, both if seen else train)
        assert np.allclose(fitted.value, train) != seen


def test_what_cannot_be_planted_is_refused_with_a_reason():
    with pytest.raises(FulmenError, match="temporal cannot exist in Pictures: pictures are read without times"):
        plant(pictures(), "temporal")
    with pytest.raises(FulmenError, match="no mechanism 'target_copies'; did you mean target_copy"):
        plant(table(), "target_copies")
    with pytest.raises(FulmenError, match="strength is 2; it must lie between 0 and 1"):
        plant(table(), "group", 2)
    with pytest.raises(FulmenError, match="not in a file: use open"):
        plant(table(), "selection").write("unused")
