"""The proof over the zoo, small: a tiny market and three networks; what it keeps and what it counts."""

import numpy as np
import pytest

from benchmarks.proofs import zoo
from fulmen.workloads.stocks.simulator import simulate_market

THREE = ("01_lstm_classic", "04_lstm_narrow_deep", "06_gru_classic")


@pytest.fixture
def small(monkeypatch):
    for name, value in {"DAYS": 600, "SERIES": 2, "EPOCHS": 1, "FRESH_DAYS": 2_000}.items():
        monkeypatch.setattr(zoo, name, value)
    whole = zoo.market
    monkeypatch.setattr(zoo, "market", lambda seed, signal: whole(seed, signal, 2, 600))


@pytest.mark.slow
def test_a_market_is_judged_and_its_forecasts_are_kept(small, tmp_path, monkeypatch):
    found = zoo.try_market("R2 5 %", 3, tmp_path, THREE)
    assert found["ok"]
    assert found["best"] in THREE
    assert isinstance(found["holds_best"], bool)
    assert (found["days"], found["in_set"] >= 1) == (85, True)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "zoo").iterdir()}
    assert len(kept) == 3
    monkeypatch.setattr(zoo, "trained", None)  # nothing is trained again
    assert zoo.try_market("R2 5 %", 3, tmp_path, THREE) == found
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "zoo").iterdir()} == kept


def test_promises_count_the_right_half():
    def one(kind, claimed, held=False):
        return {"kind": kind, "claimed": claimed, "claimed_if_alone": True, "in_set": 4, "holds_best": held}

    kept = [one("no signal", i < 8) for i in range(40)] + [one("R2 5 %", i < 32, i < 32) for i in range(40)]
    found = [zoo.promise(name, kept) for name in zoo.PROMISES]
    assert [(each["count"], each["of"], each["ok"]) for each in found] == [
        (8, 40, False),
        (32, 40, True),
        (32, 40, False),
    ]


def test_the_fresh_loss_of_a_known_forecaster_is_that_of_its_formula():
    """Forecasting sqrt(R2) times the last return by hand, on the same fresh days."""

    class Known:
        def log_return(self, batch):
            return 0.3 * batch["window"][:, -1, :1]

    series = simulate_market(1_250, 7, 0.05)
    came = np.diff(np.log(series.close))
    by_hand = np.square(came[1:] - 0.3 * came[:-1])[-1_000:].mean()
    assert zoo.fresh_loss(Known(), 0.05, 7, days=1_000) == pytest.approx(by_hand, rel=1e-5)
