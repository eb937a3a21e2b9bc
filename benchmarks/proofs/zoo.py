"""With all ten counted, the best network is claimed better than persistence where a signal is, and hardly elsewhere.

A cell is a simulated market of 8 series and 4,000 days, 40 without a signal and 40 in which the day before explains 5 %
of the variance; the last three cells are the promises over all of them. Ten of the 30 networks, of a kind each, see the
returns of ten days for two epochs, in bfloat16 where the processor has it, and forecast the next day of the test split.
What is said of them is what a multirun says (`fulmen.report.many_tries`): the superior predictive ability of the best
against persistence, and which networks are in the 95 % confidence set. Which is truly the best is told by 100,000
further days.

    make proofs ARGS=zoo
    python -m benchmarks.proofs.zoo [--cache outputs/cache] [--seconds 600]     # a piece of it; both go on

Forecasts are kept in the cache, one file for each market and network: a change of the statistics trains nothing again.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import logging
import sys
import time
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer

from benchmarks.proofs import Proof
from fulmen.config.check import build, check_overrides
from fulmen.data.cache import cache_folder, fingerprint
from fulmen.report.many_tries import Tries, tried
from fulmen.utils.files import atomic_write
from fulmen.utils.precision import best_precision, in_precision
from fulmen.workloads.stocks import features, simulator, splits
from fulmen.workloads.stocks.data import StocksData, inputs_at, known_days
from fulmen.workloads.stocks.items import items_of
from fulmen.workloads.stocks.networks import layer_spec, layers, sequence_net
from fulmen.workloads.stocks.simulator import simulate_market

MARKETS, SIGNALS = 40, {"no signal": 0.0, "R2 5 %": 0.05}
SERIES, DAYS, FRESH_DAYS, LOOKBACK, FEATURES = 8, 4_000, 100_000, 10, ["return"]
EPOCHS, BATCH, LR = 2, 512, 3e-3
NETWORKS = (
    "01_lstm_classic", "02_lstm_layernorm", "03_lstm_batchnorm", "04_lstm_narrow_deep", "06_gru_classic",
    "09_gru_residual_dense", "23_skip_dense", "24_highway_lstm", "26_self_attention_lstm", "28_cnn_lstm",
)  # fmt: skip
AT_MOST, AT_LEAST, HOLD = 7, 32, 33
PROMISES = (
    f"without a signal at most {AT_MOST} of {MARKETS} claims", f"with a signal at least {AT_LEAST} of {MARKETS} claims",
    f"the confidence set holds the best in at least {HOLD} of {MARKETS}",
)  # fmt: skip
CODE = (simulator, features, splits, layer_spec, layers, sequence_net)  # that forecasts depend on


def main(folder: Path | None = None, seconds: float = float("inf")) -> bool:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    proof, began = Proof("benchmarks.proofs.zoo", __doc__, seeds=range(MARKETS)), time.monotonic()
    markets = {f"{name}, market {seed}": (name, seed) for seed in range(MARKETS) for name in SIGNALS}
    for cell in proof.missing([*markets, *PROMISES]):
        if time.monotonic() - began > seconds:
            print(f"stopped after {seconds:.0f} s; the same command goes on", flush=True)
            return False
        if cell in markets:
            proof.keep(cell, **try_market(*markets[cell], folder or cache_folder()))
        else:
            proof.keep(cell, **promise(cell, [proof.kept()[each] | {"kind": markets[each][0]} for each in markets]))
    return proof.holds()


def try_market(kind: str, seed: int, folder: Path, networks: tuple[str, ...] = NETWORKS) -> dict[str, Any]:
    """What is said of the networks of one market, and, where there is a signal, which of them is the best in truth."""
    data = market(seed, SIGNALS[kind])
    forecasts = {name: forecast(data, kind, seed, name, folder) for name in networks}
    test = data.splits["test"]
    found = tried({name: items_of(test, each["forecast"]) for name, each in forecasts.items()})
    assert found is not None
    truth = {name: float(each["fresh_loss"]) for name, each in forecasts.items()} if SIGNALS[kind] else {}
    return {
        "ok": True,
        **said(found, truth),
        "cpu_s": round(sum(float(each["cpu_s"]) for each in forecasts.values()), 1),
    }


def said(found: Tries, truth: dict[str, float]) -> dict[str, Any]:
    """The claims, and whether the confidence set holds the best."""
    plain: dict[str, Any] = {
        "claimed": found.beaten, "p": found.p, "claimed_if_alone": found.alone < 0.05, "best_on_test": found.names[0],
        "in_set": len(found.confident), "block": found.block, "days": found.units,
    }  # fmt: skip
    if truth:
        best = min(truth, key=lambda name: truth[name])
        plain |= {"best": best, "holds_best": best in found.confident}
    return plain


def promise(name: str, kept: list[dict[str, Any]]) -> dict[str, Any]:
    """How often it came true over all markets, and whether that is as promised."""
    without, with_signal = ([one for one in kept if one["kind"] == kind] for kind in SIGNALS)
    of = with_signal if name != PROMISES[0] else without
    count = sum(one["holds_best" if name == PROMISES[2] else "claimed"] for one in of)
    ok = {PROMISES[0]: count <= AT_MOST, PROMISES[1]: count >= AT_LEAST, PROMISES[2]: count >= HOLD}[name]
    alone = sum(one["claimed_if_alone"] for one in of)
    return {"ok": ok, "count": count, "of": len(of), "claims_had_the_best_been_alone": alone,
            "mean_in_set": float(np.mean([one["in_set"] for one in of]))}  # fmt: skip


def market(seed: int, signal: float, series: int = SERIES, days: int = DAYS) -> StocksData:
    """Windows over the series of one market, split in time."""
    data = StocksData(days=days, tickers=series, signal=signal, lookback_days=LOOKBACK, features=FEATURES,
                      batch_size=BATCH, seed=seed)  # fmt: skip
    data.prepare_data()
    data.setup()
    return data


def forecast(data: StocksData, kind: str, seed: int, name: str, folder: Path) -> dict[str, np.ndarray]:
    """Log-returns of the test split by one network, and its loss on fresh days; from the cache, or trained."""
    about = {
        "market": data.fingerprint,
        "seed": seed,
        "network": name,
        "training": [EPOCHS, BATCH, LR, best_precision("cpu")],
        "fresh": FRESH_DAYS,
    }
    path = (
        folder / "zoo" / f"{kind}_{seed}_{name}_{fingerprint(about, code=CODE)}.npz".replace(" ", "_").replace("%", "")
    )
    if not path.exists():
        began = time.process_time()
        model = trained(data, name, seed)
        values = {"forecast": predicted(model, data.splits["test"])}
        if SIGNALS[kind]:
            values["fresh_loss"] = np.array(fresh_loss(model, SIGNALS[kind], 10_000 + seed))
        values["cpu_s"] = np.array(time.process_time() - began)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, "wb") as file:
            np.savez(file, **values)
    with np.load(path) as file:
        return dict(file)


def trained(data: StocksData, name: str, seed: int) -> LightningModule:
    """One of the networks, trained on a market."""
    torch.manual_seed(seed)
    model = build(config(name).model, "model")
    Trainer(
        max_epochs=EPOCHS, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, num_sanity_val_steps=0, limit_val_batches=0, precision=best_precision("cpu"),
    ).fit(model, data)  # fmt: skip
    return model.eval()


@cache
def config(name: str) -> Any:
    return check_overrides([
        "experiment=stocks", f"network={name}", f"data.features=[{','.join(FEATURES)}]",
        f"data.lookback_days={LOOKBACK}", f"model.optimizer.lr={LR}", "model.figures=false",
    ])  # fmt: skip


@torch.no_grad()
def predicted(model: Any, batch: dict[str, torch.Tensor], rows: int = 1_000) -> np.ndarray:
    """Log-returns [N, H]."""
    parts = range(0, len(batch["day"]), rows)
    with in_precision(best_precision("cpu")):
        return torch.cat(
            [model.log_return({key: value[i : i + rows] for key, value in batch.items()}) for i in parts]
        ).numpy()


def fresh_loss(model: Any, signal: float, seed: int, days: int = FRESH_DAYS) -> float:
    """The mean squared error on so many days of a series that nothing was trained or tested on."""
    series = simulate_market(days + 250, seed, signal)
    x, volatility, first = known_days(series, FEATURES)
    origin = np.arange(first + LOOKBACK - 1, len(series) - 1)[-days:]
    batch = {
        name: torch.from_numpy(value) for name, value in inputs_at(series, x, volatility, origin, LOOKBACK).items()
    }
    came = np.log(series.close[origin + 1] / series.close[origin])
    return float(np.square(predicted(model, batch)[:, 0] - came).mean())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A piece of the proof; it goes on where it stopped.")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    asked = parser.parse_args()
    sys.exit(not main(asked.cache, asked.seconds))
