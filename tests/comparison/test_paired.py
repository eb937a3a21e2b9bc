"""Paired statistics against scikit-learn and closed forms."""

import numpy as np
import pytest
from sklearn import metrics

from fulmen.comparison.find_or_run import find_or_run
from fulmen.comparison.paired import _judged, align, compared, scores
from fulmen.errors import FulmenError

N, C = 400, 4


def arrays(seed, skill, runs=(1,), items=None):
    """Predictions that are right more often the larger `skill` is, the rows in random order."""
    rng = np.random.default_rng(seed)
    items = np.arange(N) if items is None else items
    parts = []
    for run in runs:
        target = np.random.default_rng(0).choice(C, 10 * N, p=[0.1, 0.3, 0.3, 0.3])[items]
        score = rng.normal(size=(len(items), C)) + skill * np.eye(C)[target]
        probability = np.exp(score) / np.exp(score).sum(1, keepdims=True)
        order = rng.permutation(len(items))
        loss = -np.log(probability[np.arange(len(items)), target])
        parts.append(
            {
                "item": items[order],
                "target": target[order],
                "probability": probability[order],
                "loss": loss[order],
                "run": np.full(len(items), run),
            }
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} | {
        "train_count": np.array([10, 300, 300, 300])
    }


def test_scores_equal_scikit_learn():
    models, left_out = align({"a": arrays(1, 1.0), "b": arrays(2, 2.0)})
    a = models["a"]
    found, predicted = scores(a), a.probability[0].argmax(1)
    f1 = metrics.f1_score(a.target, predicted, average=None)
    assert left_out == ""
    assert found == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(a.target, predicted),
            "balanced accuracy": metrics.balanced_accuracy_score(a.target, predicted),
            "macro F1": f1.mean(),
            "minority F1": f1[0],
            "roc_auc": metrics.roc_auc_score(a.target, a.probability[0], multi_class="ovr"),
            "majority F1": f1[1:].mean(),
            "loss": metrics.log_loss(a.target, a.probability[0]),
        }
    )


def test_weights_count_items_as_often_as_repeating_them():
    a = align({"a": arrays(1, 1.0), "b": arrays(2, 2.0)})[0]["a"]
    weight = np.random.default_rng(3).integers(0, 4, N)
    again = np.repeat(np.arange(N), weight)
    expected = metrics.f1_score(a.target[again], a.probability[0].argmax(1)[again], average="macro")
    assert scores(a, weight)["macro F1"] == pytest.approx(expected)


def test_items_are_matched_whatever_their_order_and_what_is_not_shared_is_left_out():
    models, left_out = align({"a": arrays(1, 1.0), "b": arrays(2, 2.0, items=np.arange(100, N + 100))})
    assert models["a"].item.tolist() == models["b"].item.tolist() == list(range(100, N))
    assert left_out.startswith("600 of 800 predictions")


def test_runs_of_the_same_items_are_stacked_and_runs_of_other_items_set_in_a_row():
    stacked = align({"a": arrays(1, 1.0, runs=(1, 2, 3)), "b": arrays(2, 1.0, runs=(4, 5, 6))})[0]["a"]
    assert stacked.loss.shape == (3, N)
    parts = [arrays(seed, 1.0, runs=(seed,), items=np.arange(N) + 500 * seed) for seed in (1, 2)]
    row = {name: np.concatenate([part[name] for part in parts]) for name in parts[0] if name != "train_count"}
    assert align({"a": row, "b": row})[0]["a"].loss.shape == (1, 2 * N)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (arrays(2, 1.0, items=np.arange(N, 2 * N)), "share no test items"),
        (arrays(2, 1.0, runs=(1, 2)), "a different number of times: .* time, .* 2 times; give all"),
        (arrays(2, 1.0) | {"target": np.zeros(N, int)}, "do not agree about the classes"),
    ],
)
def test_what_cannot_be_compared_is_refused(other, message):
    with pytest.raises(FulmenError, match=message):
        align({"a": arrays(1, 1.0), "b": other})


@pytest.mark.parametrize("looks", [1, 2, 3, 7])
def test_p_and_interval_never_disagree(looks):
    rng = np.random.default_rng(looks)
    for shift in np.linspace(0, 4, 200):
        found = _judged(shift, rng.normal(shift, 1, 2000), looks)
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0), (shift, found)


def test_a_model_does_not_differ_from_itself():
    models = align({"a": arrays(1, 0.5), "b": arrays(2, 2.0)})[0]
    a, b = models["a"], models["b"]
    assert {each.p for each in compared(a, a).values()} == {1.0}
    assert compared(a, b)["loss"].p < 0.01


def test_bootstrap_intervals_have_the_width_of_the_normal_approximation():
    models = align({"a": arrays(1, 1.0), "b": arrays(2, 1.2)})[0]
    a, b = models["a"], models["b"]
    found = compared(a, b)["loss"]
    low, high = found.low, found.high
    difference = b.loss[0] - a.loss[0]
    assert (low + high) / 2 == pytest.approx(difference.mean(), abs=0.02)
    assert high - low == pytest.approx(2 * 1.96 * difference.std() / N**0.5, rel=0.1)


def test_groups_are_drawn_whole():
    """Items that repeat their group's error tell no more than one of them: the interval widens accordingly."""
    group = np.arange(N) // 10
    base = np.random.default_rng(0).normal(size=N // 10)[group]
    plain = {"item": np.arange(N), "loss": np.zeros(N)}
    models = align({"a": plain | {"group": group}, "b": plain | {"loss": base, "group": group}})[0]
    found = compared(models["a"], models["b"])["loss"]
    low, high = found.low, found.high
    assert high - low == pytest.approx(2 * 1.96 * base.std() / (N / 10) ** 0.5, rel=0.15)
    one_run = [compared(models["a"], models["b"], seed=3)["loss"] for _ in range(2)]
    assert one_run[0] == one_run[1], "same seed, same interval"


def test_runs_of_different_data_are_refused_before_any_training(tmp_path):
    with pytest.raises(FulmenError, match="images_plain has ImagesData, stocks_fast has StocksData"):
        find_or_run(["images_plain", "stocks_fast"], outputs=tmp_path)


@pytest.mark.parametrize("runs", [(1,), (1, 2)])
def test_further_scores_of_items_are_compared_with_intervals(runs):
    rng = np.random.default_rng(5)
    items = np.tile(np.arange(60), len(runs))
    run = np.repeat(runs, 60)
    share = rng.uniform(0, 100, len(items))
    share[:3] = np.nan

    def model(gain):
        return {"item": items, "run": run, "loss": rng.random(len(items)), "metric/within_10_percent": share + gain}

    models, _ = align({"a": model(0.0), "b": model(5.0)})
    assert float(scores(models["a"])["within_10_percent"]) == pytest.approx(np.nanmean(share))
    found = compared(*models.values())
    assert list(found) == ["loss", "within_10_percent"]
    gain = found["within_10_percent"]
    assert (gain.value, gain.low, gain.high) == pytest.approx((5.0, 5.0, 5.0))
    assert gain.p < 0.05


def test_a_score_that_only_one_model_has_is_left_out_of_the_differences():
    one = {"item": np.arange(9), "loss": np.ones(9)}
    models, _ = align({"a": one, "b": one | {"metric/mae": np.ones(9)}})
    assert list(compared(*models.values())) == ["loss"]


def test_runs_with_items_of_their_own_keep_their_number_and_scores():
    one = {"item": np.arange(8), "run": np.repeat([1, 2], 4), "loss": np.ones(8), "metric/mae": np.arange(8.0)}
    models, _ = align({"a": one, "b": one})
    assert models["a"].counts == (4, 4)
    assert float(scores(models["a"])["mae"]) == 3.5
