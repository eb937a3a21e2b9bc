"""What a run writes down: its result, and where it comes from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from fulmen.config.stored import as_stored
from fulmen.errors import FulmenError
from fulmen.runs.damage import read_typed
from fulmen.runs.provenance import environment
from fulmen.runs.reading import read_environment, read_result
from fulmen.runs.training_code import Code, changes, code_of
from fulmen.utils.files import atomic_write, set_aside, write_json
from fulmen.workload import fingerprint_of

OF_FEW = ("leaks", "unscanned", "taken", "ignored", "losses_differ", "shown", "looks", "data_set", "members")
NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(repr=False)
class Result:
    """What `result.json` holds.

    Attributes:
        status: running, completed, interrupted, diverged or failed, or a callback's `ending` (pruned,
            stopped); a run that was killed stays "running", and `fulmen.runs.reading.now` tells the two apart.
        epochs: begun or completed so far.
        steps: of the optimizer.
        metrics: `test/...` of the best checkpoint, `best/<monitor>` of its epoch, the others of the last epoch.
        baselines: metrics of what costs nothing, by baseline.
        cost: seconds of fitting over all resumes, seconds of the last start, parameters, device, threads,
            precision.
        trained: whether training came to its end, so that only the evaluation is left to do.
        message: why it was interrupted or failed.
        runs: folders of the runs it stands for, relative to its own, if it repeats over folds and seeds; then metrics
            and baselines are means over them, `sd` their standard deviations, and cost their sum.
        verdicts: of the diagnosis, those that warn first; see `fulmen.diagnosis.Verdict`.
        ignored: what was found and is not reported, by `findings.ignore`: id, code and finding of each.
        leaks: that a scan of the data found, the gravest first, see `fulmen.data.leaks.Leak`; absent where there are
            none. `cost` holds `leak_scan_seconds` where there was a scan.
        unscanned: why it is not known whether the data have leaks; absent where they were scanned or cannot be.
        better: "min" or "max" of the metrics of the test split of which that is known: which way each is better.
        sizes: how many items the splits have that scores are of, "val" and "test"; of several runs their mean.
        counted: what these are: "subjects", "images"; "" while no workload has said it.
        looks: what identifies the test split it was tested on, and its config, see `fulmen.runs.looks`; runs of before
            have none.
        taken: what was taken from each file, see `fulmen.io.taken.Taken`; runs of before have none.
        losses_differ: why the logged losses of training and validation are not the same quantity; "" where they are.
        shown: what the test split shows, see `fulmen.report.shown.Shown`; runs of before have none.
        data_set: which data it was trained on, and how many samples each split has, in words; runs of before have none.
        members: of an ensemble the runs that it is a mean of, each with its `metrics` of the test split.
    """

    experiment: str
    folder: Path
    status: str = "running"
    epochs: int = 0
    steps: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    baselines: dict[str, dict[str, float]] = field(default_factory=dict)
    cost: dict[str, Any] = field(default_factory=dict)
    trained: bool = False
    message: str = ""
    runs: list[str] = field(default_factory=list)
    sd: dict[str, float] = field(default_factory=dict)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    better: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    counted: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    leaks: list[dict[str, Any]] = field(default_factory=list)
    unscanned: str = ""
    looks: dict[str, Any] = field(default_factory=dict)
    ignored: list[dict[str, Any]] = field(default_factory=list)
    losses_differ: str = ""
    shown: dict[str, Any] = field(default_factory=dict)
    data_set: str = ""
    members: list[dict[str, Any]] = field(default_factory=list)

    def __repr__(self) -> str:
        from fulmen.runs.shown import Shown, in_a_line

        return f"Result({self.experiment}, {in_a_line(Shown(self.folder, asdict(self)))})"

    def _repr_html_(self) -> str:
        from fulmen.runs.moment import read_moment
        from fulmen.runs.shown import Shown, as_cell

        found = read_moment(self.folder)
        return as_cell(Shown(self.folder, asdict(self), found.curves, verdict=found.verdict))

    def write(self) -> None:
        write_json(self.folder / "result.json", self.to_plain())

    def to_plain(self) -> dict[str, Any]:
        """Plain values; what is said of few runs alone is left out where there is nothing to say."""
        plain = asdict(self) | {"folder": self.folder.name}
        return {name: value for name, value in plain.items() if value or name not in OF_FEW}

    @classmethod
    def read(cls, folder: Path) -> "Result":
        """What is known of the run in `folder`; a damaged result.json is set aside."""
        known = {}
        try:
            known = read_result(folder)
        except FulmenError as error:
            set_aside(folder / "result.json", error)
        names = {each.name for each in fields(cls)}
        values = {name: value for name, value in known.items() if name in names}
        return cls(**{"experiment": folder.parent.name} | values | {"folder": folder})


def write_provenance(
    folder: Path, cfg: DictConfig, overrides: Sequence[str], resumed: bool, more: Mapping[str, Any] = NOTHING
) -> None:
    """config.yaml, overrides.txt and environment.json; a resumed run adds to the last two.

    Args:
        more: that environment.json shall hold of this start.
    """
    with atomic_write(folder / "config.yaml") as file:
        file.write(as_stored(cast(DictConfig, OmegaConf.merge(cfg, {"resume": None}))))
    with open(folder / "overrides.txt", "a" if resumed else "w") as file:
        file.writelines(f"{override}\n" for override in overrides)
    write_environment(folder, cfg, resumed, more)


def write_environment(folder: Path, cfg: DictConfig, resumed: bool = False, more: Mapping[str, Any] = NOTHING) -> None:
    """When, by which code and where something starts; arguments as `write_provenance`."""
    now = {"time": datetime.now().astimezone().isoformat(timespec="seconds"), "seed": cfg.seed, **environment()}
    now |= {"training_code": code_of(cfg), **more}
    data = read_environment(folder).get("data_fingerprint") if resumed else None  # an evaluation alone finds it no more
    known = {"data_fingerprint": data} if data else {}
    write_json(folder / "environment.json", {**known, "starts": [*_starts(folder, resumed), now]})


def typed_for(folder: Path) -> list[str]:
    """What was typed for a run, at the start and at every resume."""
    return read_typed(folder)[0]


def other_code(folder: Path, now: Code) -> str:
    """In words, if code that is not `now`'s has made the run in `folder`, or a part of it; else ""."""
    for start in read_environment(folder).get("starts") or [{}]:
        made_by = start.get("training_code")
        if not made_by:
            return f"{folder} does not say which code made it"
        if made_by != now:
            return f"{folder} was made by other code: {changes(made_by, now)}"
    return ""


def write_fingerprint(folder: Path, data: Any) -> None:
    """Add what identifies the data, known once they are prepared, to environment.json."""
    fingerprint = fingerprint_of(data)
    if fingerprint:
        write_json(folder / "environment.json", {"data_fingerprint": fingerprint, "starts": _starts(folder, True)})


def _starts(folder: Path, resumed: bool) -> list[dict[str, Any]]:
    path = folder / "environment.json"
    if not resumed or not path.exists():
        return []
    try:
        return json.loads(path.read_text())["starts"]
    except (ValueError, KeyError, TypeError) as error:
        set_aside(path, error)
        return []
