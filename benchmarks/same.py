"""Does code of today train to the same bits as a recorded commit? `make same`, or `make same ARGS="stocks sensors"`.

Every case below is typed to the `train.py` (or `sweep.py`) of both checkouts, at the same time, on this machine, one
process each. Weights, losses and metrics have to be equal to the bit; what differs is named and the exit code is 1.
benchmarks/same.json names the commit each case has to equal. A change with an intended effect moves it for the cases
it touches, with the reason: `python benchmarks/same.py --move "why" case ...`, in the commit after the change.
A case that the recorded commit cannot run is new, and no failure. `--numbers` stores the losses that some cases have
today in benchmarks/same_numbers.json; tests hold them to 1e-4, since another processor or torch changes the last bits.
"""

import argparse
import contextlib
import hashlib
import io
import json
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RECORD, NUMBERS = ROOT / "benchmarks" / "same.json", ROOT / "benchmarks" / "same_numbers.json"
COST = "CPU seconds"
Facts = dict[str, Any]

SHARED = [
    "trainer.accelerator=cpu", "trainer.precision=32-true", "trainer.max_epochs=2", "trainer.limit_train_batches=4",
    "trainer.limit_val_batches=2", "trainer.limit_test_batches=2", "trainer.log_every_n_steps=1", "threads=1",
    "callbacks.summary=null", "callbacks.progress=null", "logger.tensorboard=null",
]  # fmt: skip
TINY = {  # by the first letters of an experiment's name; all that fit
    "pbpk": ["data.compounds=40", "data.validation_compounds=8", "data.test_compounds=8", "data.time_points=20",
             "data.batch_size=6"],
    "pbpk_mlp": ["model.network.times=19"],
    "pbpk_pod": ["model.network.times=19"],
    "pbpk_published": ["model.network.times=19"],
    "stocks": ["data.days=500", "data.batch_size=16", "model.figures=false"],
    "images": ["data.batch_size=8", "model.figures=false", "callbacks.divergence=null"],
    "images_long_tail": ["data=digits", "data.imbalance.factor=5", "data.validation=0.1", "network=advanced_cnn"],
    "sensors": ["data.machines=8", "data.days=6", "data.batch_size=64", "model.figures=false"],
    "synthetic": ["data.rows=600", "data.batch_size=32", "model.figures=false"],
}  # fmt: skip
OF_ONE = {"pbpk": ["model.network.times=19"]}  # of the experiment with just this name
NARROW = ["network=resnet9", "model.network.width=4"]  # cheaper than the default network of images
NO_TEST = "test=false"  # the figures of PBPK take longer than these trainings
VARIED = {  # zoo= and tabular= are network= today; the recorded commits know the old words alone
    "pbpk without scheduler": ["experiment=pbpk_mlp", NO_TEST, "scheduler=null"],
    "pbpk cosine": ["experiment=pbpk_mlp", NO_TEST, "scheduler=cosine"],
    "pbpk one_cycle": ["experiment=pbpk_mlp", NO_TEST, "scheduler=one_cycle"],
    "pbpk triangular": ["experiment=pbpk_mlp", NO_TEST, "scheduler=triangular"],
    "pbpk linear, oral": [
        "experiment=pbpk_mlp", NO_TEST, "data.kinetics=linear", "data.routes=[oral]", "data.n_doses=2",
    ],
    "pbpk gnn without messages": ["experiment=pbpk_gnn", NO_TEST, "model.network.layers=0", "model.residual=false"],
    "pbpk clipped": [
        "experiment=pbpk_mlp", NO_TEST, "trainer.gradient_clip_val=0.5", "trainer.accumulate_grad_batches=2",
    ],
    "pbpk validated twice an epoch": ["experiment=pbpk_mlp", NO_TEST, "trainer.val_check_interval=2"],
    "pbpk seeds=2": ["experiment=pbpk_mlp", NO_TEST, "seeds=2"],
    "stocks regression metrics": [
        "experiment=stocks_fast", "zoo=06_gru_classic", "metrics=regression", "callbacks.scores.prediction=log_return",
        "callbacks.scores.target=log_return",
    ],
    "stocks folds=2": ["experiment=stocks_fast", "zoo=04_lstm_narrow_deep", "folds=2"],
    **{
        f"stocks {zoo}": ["experiment=stocks_fast", f"zoo={zoo}"]
        for zoo in (
            "02_lstm_layernorm", "03_lstm_batchnorm", "09_gru_residual_dense", "10_gru_hybrid", "15_bilstm_bigru_mix",
            "18_pyramid_lstm", "22_lstm_residual_v2", "23_skip_dense", "24_highway_lstm", "25_densenet_lstm",
            "26_self_attention_lstm", "27_multihead_attention", "29_lstm_timedistributed", "30_ensemble_multipath",
        )
    },
    **{
        f"images loss={loss}": ["experiment=images_plain", *NARROW, f"loss={loss}"]
        for loss in ("balanced_softmax", "class_balanced", "deferred_weights", "focal", "ldam", "weighted")
    },
    **{
        f"images sampler={sampler}": ["experiment=images_plain", *NARROW, f"sampler={sampler}"]
        for sampler in ("class_balanced", "deferred", "square_root", "shuffle")
    },
    "images resnet32": ["experiment=images_plain", "network=resnet32"],
    "images whitened": [
        "experiment=images_plain", "recipe=airbench", "model.network.widths=[4,8,8]", "data.batch_size=16",
        "trainer.precision=32-true",
    ],
    "images adjusted": [
        "experiment=images_plain", *NARROW, "model.logit_adjustment=validation", "imbalance=exponential",
        "data.imbalance.factor=10",
    ],
    "sensors windows": ["experiment=sensors", "data.windows=[mean_24h,rise_24h]"],
    "sensors classification metrics": ["experiment=sensors", "metrics=classification", "callbacks.scores.classes=2"],
    **{
        f"sensors tabular={table}": ["experiment=sensors", f"tabular={table}"]
        for table in ("ft_transformer", "logistic", "mlp", "mlp_bins")
    },
}  # fmt: skip
STOPPED = {  # by SIGTERM in mid-epoch, then resumed
    "pbpk resumed": ["experiment=pbpk_mlp"],
    "stocks resumed": ["experiment=stocks", "zoo=03_lstm_batchnorm"],
    "images resumed": ["experiment=images_strong", *NARROW],
    "sensors resumed": ["experiment=sensors"],
}
SEARCHED = {
    "pbpk search": [
        "experiment=pbpk_mlp",
        "search=random",
        "search.space.data.batch_size=null",  # fixed, as above
        "search.trials=2",
        "search.name=same",
        "search.champion_seeds=1",
    ]
}


IN_TESTS = ("pbpk cosine", "stocks_fast", "images_plain", "sensors")  # held to stored numbers, on any machine


def cases() -> dict[str, list[str]]:
    """What is typed in each case: every experiment, and the settings above."""
    experiments = sorted(path.stem for path in (ROOT / "conf" / "experiment").glob("*.yaml"))
    typed = {name: [f"experiment={name}"] for name in experiments} | VARIED | STOPPED | SEARCHED
    return {name: [each[0], *SHARED, *tiny(each[0]), *each[1:]] for name, each in typed.items()}


def tiny(experiment: str) -> list[str]:
    """Settings that make the data of `experiment=<name>` small."""
    name = experiment.partition("=")[2]
    shared = [typed for beginning, settings in TINY.items() if name.startswith(beginning) for typed in settings]
    return shared + OF_ONE.get(name, [])


def run_case(name: str, typed: list[str], checkout: Path, folder: Path) -> Facts:
    """Type it, in this process, in the folder given; what came of it, or the error in the place of it."""
    folder.mkdir(parents=True)
    script, place = ("sweep.py", []) if name in SEARCHED else ("train.py", [f"hydra.run.dir={folder}/run"])
    with contextlib.chdir(folder), stop_at(3 if name in STOPPED else None) as stopping:
        said = call(checkout / script, [*typed, *place])
        if stopping:
            stopping.clear()
            said = call(checkout / script, [f"resume={folder}/run"])
    return {"error": said} if said else collect(folder)


def call(script: Path, arguments: list[str]) -> str:
    """The script as `python <script> <arguments>` in this process; what it says if it fails, else ""."""
    before, sys.argv = sys.argv, [str(script), *arguments]
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            runpy.run_path(str(script), run_name="__main__")
    except SystemExit as ended:
        if ended.code not in (None, 0, 143):  # 143: SIGTERM, as asked
            return said.getvalue().strip()[-1500:]
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        sys.argv = before
    return ""


@contextlib.contextmanager
def stop_at(step: int | None):
    """SIGTERM to this process at the start of that training step's batch; yields a list, empty to stop nothing."""
    import signal

    from lightning.pytorch import Callback, Trainer

    pending = [] if step is None else [step]

    class Stop(Callback):
        def on_train_batch_start(self, trainer: Any, *_: Any) -> None:
            if pending == [trainer.global_step]:
                pending[:] = ["sent"]
                os.kill(os.getpid(), signal.SIGTERM)

    fit = Trainer.fit

    def fit_and_stop(self: Trainer, *args: Any, **kwargs: Any) -> Any:
        self.callbacks.insert(0, Stop())
        return fit(self, *args, **kwargs)

    if pending:
        Trainer.fit = fit_and_stop
    try:
        yield pending
    finally:
        Trainer.fit = fit


def collect(folder: Path) -> Facts:
    """Weights, losses and metrics of every run below `folder`, as `file: key` -> text or number."""
    import torch

    facts: Facts = {}
    for path in sorted(folder.rglob("result.json")):
        result = json.loads(path.read_text())
        kept = {key: result.get(key) for key in ("status", "epochs", "steps", "metrics", "baselines", "sd")}
        facts |= {f"{path.relative_to(folder).as_posix()}: {key}": value for key, value in flat(kept)}
    for path in sorted(folder.rglob("metrics.csv")):
        lines = [line.split(",") for line in path.read_text().splitlines()]
        for row in lines[1:]:
            facts |= {
                f"{path.relative_to(folder).as_posix()}: {row[0]} {column}": value
                for column, value in zip(lines[0][1:], row[1:], strict=True)
            }
    for path in sorted(folder.rglob("*.ckpt")):
        name = path.relative_to(folder).as_posix()
        for key, value in torch.load(path, weights_only=True)["state_dict"].items():
            facts[f"{name}: {key}"] = described(value)
    return facts


def described(tensor: Any) -> str:
    """Shape and sum for people, a checksum over every bit."""
    checksum = hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()[:12]
    return f"{list(tensor.shape)} sum {tensor.double().sum().item():.9g} bits {checksum}"


def flat(value: Any, path: str = "") -> Iterable[tuple[str, Any]]:
    """The leaves of nested dicts, seconds left out."""
    if not isinstance(value, dict):
        return [(path, value)]
    found = (pair for key, item in value.items() for pair in flat(item, f"{path}.{key}" if path else key))
    return [(name, item) for name, item in found if "second" not in name]


def work(checkout: Path, folder: Path, names: list[str]) -> None:
    """Go through cases with the code in `checkout`; facts go to <folder>/<number>.json as they are known."""
    sys.path.insert(0, str(checkout / "src"))
    os.environ |= {"FULMEN_CACHE": f"{folder}/cache", "FULMEN_REGISTRY": f"{folder}/models"}
    import fulmen

    assert Path(fulmen.__file__).is_relative_to(checkout), f"{fulmen.__file__} is not the code in {checkout}"
    typed = cases()
    for name in names:
        begun = time.process_time()
        facts = run_case(name, typed[name], checkout, folder / "runs" / str(names.index(name)))
        facts[COST] = round(time.process_time() - begun, 1)
        (folder / f"{names.index(name)}.json").write_text(json.dumps(facts))


def start(checkout: Path, folder: Path, names: list[str]) -> subprocess.Popen:
    folder.mkdir()
    command = [sys.executable, "-W", "ignore", __file__, "--work", str(checkout), str(folder), *names]
    quiet = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": str(checkout / "src")}
    return subprocess.Popen(command, cwd=folder, env=os.environ | quiet)


def checked_out(commit: str, folder: Path) -> Path:
    """The files of `commit`, without its history."""
    folder.mkdir()
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", commit, "src", "conf", "train.py", "sweep.py", "pyproject.toml"],
        check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder


def compare(then: Facts, now: Facts) -> list[str]:
    """What differs, a line each: where, then, now. What is there only now is no difference."""
    if "error" in now:
        return [f"fails {'then and ' if 'error' in then else ''}now: {now['error']}"]
    return [
        f"{key}: {value} -> {now.get(key, 'absent')}"
        for key, value in then.items()
        if key != COST and repr(value) != repr(now.get(key, "absent"))
    ]


def recorded() -> dict[str, dict[str, str]]:
    """Commit and reason by case; "*" stands for all that are not named."""
    return json.loads(RECORD.read_text())


def commit_of(case: str, record: dict[str, dict[str, str]]) -> str:
    return (record.get(case) or record["*"])["commit"]


def both(names: list[str]) -> tuple[dict[str, Facts], dict[str, Facts]]:
    """The facts of each case by the recorded commits and by the working tree."""
    record = recorded()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        jobs = {"now": (start(ROOT, place / "now", names), names)}
        for commit in sorted({commit_of(name, record) for name in names}):
            mine = [name for name in names if commit_of(name, record) == commit]
            jobs[commit] = (start(checked_out(commit, place / f"{commit}-code"), place / commit, mine), mine)
        facts: dict[str, dict[str, Facts]] = {}
        for commit, (process, mine) in jobs.items():
            if process.wait():
                raise SystemExit(f"the process for {commit} ended with {process.returncode}")
            facts[commit] = {n: json.loads((place / commit / f"{i}.json").read_text()) for i, n in enumerate(mine)}
    now = facts.pop("now")
    return {name: found for part in facts.values() for name, found in part.items()}, now


def report(then: dict[str, Facts], now: dict[str, Facts]) -> bool:
    """Print a line per case, and what differs; True if nothing does."""
    same = True
    for name in now:
        if "error" in then[name] and "error" not in now[name]:
            print(f"new        {name} ({then[name]['error'].splitlines()[-1][:100]})")
            continue
        differences = compare(then[name], now[name])
        print(f"{'DIFFERENT' if differences else 'same':10} {name} ({len(now[name])} values, {now[name][COST]} CPU s)")
        print(*(f"    {line}\n" for line in differences[:12]), sep="", end="")
        if len(differences) > 12:
            print(f"    and {len(differences) - 12} more")
        same &= not differences
    return same


def losses(facts: Facts) -> dict[str, float]:
    """The losses in metrics.csv."""
    return {key: float(value) for key, value in facts.items() if "metrics.csv" in key and "loss" in key and value}


def move(names: list[str], why: str) -> None:
    """Let cases equal HEAD from now on."""
    head = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    record = recorded() | {name: {"commit": head.stdout.strip(), "why": why} for name in names}
    RECORD.write_text(json.dumps(record, indent=2) + "\n")


def chosen(patterns: list[str]) -> list[str]:
    """Cases of these names, or of names that begin with or match the patterns; all without any."""
    there = list(cases())
    found = [n for n in there if not patterns or any(fnmatch(n, p if p in there else f"{p}*") for p in patterns)]
    if not found:
        raise SystemExit(f"no such case; there is {', '.join(there)}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help="names, beginnings or patterns; all without any")
    parser.add_argument("--move", metavar="WHY", help="let these cases equal HEAD from now on")
    parser.add_argument("--numbers", action="store_true", help="store the losses of today")
    parser.add_argument("--work", nargs=2, type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        work(*asked.work, asked.cases)
        return 0
    names = chosen([*IN_TESTS] if asked.numbers else asked.cases)
    if asked.move:
        move(names, asked.move)
        return 0
    then, now = both(names)
    same = report(then, now)
    if asked.numbers:
        numbers = {name: losses(now[name]) for name in IN_TESTS}
        NUMBERS.write_text(json.dumps(numbers, indent=1) + "\n")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
