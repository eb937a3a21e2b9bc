import numpy as np
import pytest
import torch
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from fulmen.workloads.pbpk.metrics import FLOOR, exposure_errors, metrics, of_subjects

DOSE, WEIGHT = torch.tensor([100.0, 500.0, 20.0]), torch.tensor([70.0, 60.0, 90.0])


def curves(seed=0):
    generator = torch.Generator().manual_seed(seed)
    true = torch.rand(3, 14, 9, generator=generator, dtype=torch.float64) * (DOSE / WEIGHT)[:, None, None]
    return true * (0.2 * torch.randn(true.shape, generator=generator)).exp(), true


def test_agree_with_scikit_learn():
    predicted, true = curves()
    found = metrics(predicted, true, DOSE, WEIGHT)
    scale = (WEIGHT / DOSE)[:, None, None]
    log_hat, log_true = (np.log10((c * scale).numpy().ravel() + FLOOR) for c in (predicted, true))
    p, t = predicted.numpy().ravel(), true.numpy().ravel()
    expected = {
        "r2": r2_score(t, p),
        "r2_log": r2_score(log_true, log_hat),
        "rmse_mg_per_l": root_mean_squared_error(t, p),
        "mae_mg_per_l": mean_absolute_error(t, p),
        "rmse_log10": root_mean_squared_error(log_true, log_hat),
        "mae_log10": mean_absolute_error(log_true, log_hat),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-6)


def test_a_constant_factor_is_its_own_fold_error():
    _, true = curves()
    found = metrics(true * 1.5, true, DOSE, WEIGHT) | exposure_errors(true * 1.5, true, DOSE, WEIGHT, torch.arange(9.0))
    assert found["gmfe"] == found["auc_gmfe"] == found["cmax_gmfe"] == pytest.approx(1.5)
    assert found["within_10_percent"] == 0
    assert found["within_2_fold"] == 100
    assert metrics(true * 0.95, true, DOSE, WEIGHT)["within_10_percent"] == 100


def test_a_perfect_prediction_is_perfect_and_a_mean_explains_nothing():
    _, true = curves()
    assert metrics(true, true, DOSE, WEIGHT)["r2_log"] == 1
    assert metrics(torch.full_like(true, true.mean().item()), true, DOSE, WEIGHT)["r2"] == pytest.approx(0, abs=1e-12)


def test_points_below_the_floor_do_not_count_in_ratios():
    predicted, true = curves()
    low = true.clone()
    low[:, :, 5:] = 0.0
    assert np.isfinite(list(metrics(predicted, low, DOSE, WEIGHT).values())).all()
    assert metrics(torch.where(low > 0, low, 1e-9), low, DOSE, WEIGHT)["gmfe"] == pytest.approx(1)


def test_scores_of_subjects_are_those_of_a_test_split_of_one():
    predicted, true = curves()
    predicted[0] *= 1.08
    true[1, 3] = predicted[1, 3] = 1e-9  # a curve below the floor
    time = torch.arange(9.0)
    found = of_subjects(predicted, true, DOSE, WEIGHT, time)
    for s in range(3):
        one = (predicted[[s]], true[[s]], DOSE[[s]], WEIGHT[[s]])
        alone = metrics(*one) | exposure_errors(*one, time)
        assert {name: float(each[s]) for name, each in found.items()} == pytest.approx({n: alone[n] for n in found})
    assert float(found["mae_log10"].mean()) == pytest.approx(metrics(predicted, true, DOSE, WEIGHT)["mae_log10"])


def test_a_subject_below_the_floor_has_no_share():
    none = torch.full((3, 14, 9), 1e-9)
    found = of_subjects(none, none, DOSE, WEIGHT, torch.arange(9.0))
    assert found["within_10_percent"].isnan().all()
    assert found["auc_within_10_percent"].isnan().all()
