"""Folders as fulmen leaves them, small and without a training."""

import json

from fulmen.distributed.process_identity import owner
from fulmen.launch.record import Job, write
from fulmen.utils.files import write_json

CONFIG = """\
seed: 42
monitor: val/auc
mode: max
output_dir: {folder}
model:
  _target_: fulmen.workloads.sensors.module.SensorModule
  optimizer:
    lr: {lr}
  network:
    _target_: fulmen.workloads.sensors.networks.tabular.MLP
    width: 8
"""
RESULT = {
    "experiment": "sensors",
    "status": "completed",
    "epochs": 3,
    "metrics": {"test/loss": 0.5, "test/auc": 0.9, "test/f1": 0.8, "val/auc": 0.91},
    "baselines": {"prior": {"loss": 0.7, "auc": 0.5}, "logistic": {"loss": 0.6, "auc": 0.7}},
    "cost": {"fit_seconds": 1.5, "seconds": 2.0},
    "verdicts": [{"code": "overfitting", "severity": "warning", "finding": "val rises from epoch 2 on"}],
}


def run_folder(outputs, name="sensors/2026-11-28_12-00-00-000000", lr=0.1, typed="", **result):
    """A run that has ended; `result` overrides what its result.json holds."""
    folder = outputs / "runs" / name
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(CONFIG.format(folder=folder, lr=lr))
    (folder / "overrides.txt").write_text(f"experiment=sensors\n{typed}\n")
    (folder / "metrics.csv").write_text("epoch,train/loss,val/loss\n0,0.9,0.8\n1,0.7,\n")
    (folder / "report.html").write_text("<!doctype html><title>a run</title>")
    starts = [{"time": "2026-11-28T12:00:00+02:00"}]
    (folder / "environment.json").write_text(json.dumps({"data_fingerprint": "f1", "starts": starts}))
    (folder / "result.json").write_text(json.dumps(RESULT | result))
    return folder


def loadable(outputs, **result):
    """A run that has ended, with a config that `load_run` takes."""
    from fulmen.config.check import compose
    from fulmen.config.stored import as_stored

    folder = run_folder(outputs, **result)
    (folder / "config.yaml").write_text(as_stored(compose("experiment=sensors", output_dir=folder)))
    return folder


def locked(folder, pid=None, **changes):
    """Somebody is at work there: this process, or one that is dead."""
    who = owner(pid) if pid is None else {**owner(), "pid": pid, "started": "gone/1"}
    (folder / "run.lock").write_text(json.dumps({"format": 1, **who, **changes}))


def queued(outputs, folder, kind="train", **values):
    """A job that waits in a folder of its own."""
    place = outputs / folder
    place.mkdir(parents=True, exist_ok=True)
    write(place, Job("j1", kind, folder, "sensors", created="2026-11-28T12:00:00+00:00", **values))
    return place


def ranking_folder(outputs, name="sensors_2026-11-28_12-00-00"):
    folder = outputs / "rankings" / name
    write_json(folder / "ranking.json", {
        "experiment": "sensors", "overrides": [], "shared": [], "metric": "auc", "verdict": "mlp has the best auc.",
        "rows": [{"model": "mlp", "baseline": False, "override": "network=mlp"},
                 {"model": "forest", "baseline": True, "override": None},
                 {"model": "a coin", "baseline": True, "rule": True, "override": None}],
        "scores": {"mlp": {"auc": [0.9, 0.8], "f1": [0.5, 0.7]}, "forest": {"auc": [0.7, 0.9], "f1": [0.4, 0.4]},
                   "a coin": {"auc": [0.5, 0.5], "f1": [0.1, 0.1]}},
        "cpu_seconds": {"mlp": 2.0, "forest": 1.0},
    })  # fmt: skip
    (folder / "ranking.md").write_text("# sensors: 2 models\n")
    return folder


def search_folder(outputs, name="sensors-tpe"):
    folder = outputs / "sweeps" / name
    search = {"trials": 4, "objectives": {"val/auc": "max"}, "sampler": "tpe"}
    plan = {"name": name, "overrides": ["experiment=sensors", "network=mlp"], "search": search}
    write_json(folder / "search.json", plan)
    (folder / "leaderboard.csv").write_text(
        "place,trial,val/auc,state,epochs,seconds,model.optimizer.lr\n"
        "1,1,0.9,complete,3,1.5,0.1\n2,0,0.8,complete,3,1.0,0.01\n,2,,failed,,,0.5\n"
    )
    (folder / "report.md").write_text("# sensors-tpe\n")
    (folder / "report.html").write_text("<!doctype html><title>a search</title>")
    (folder / "figures").mkdir()
    (folder / "figures" / "history.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder
