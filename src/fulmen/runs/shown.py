"""How a run shows itself: in a line, and as the output of a notebook's cell."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fulmen.report.document import Rows, number, plus_minus
from fulmen.report.known import is_known, is_score
from fulmen.report.leaks import DOUBTED, leaks_in, line
from fulmen.report.words import counted, spoken

COLUMNS = 6  # of the table, beside the name
VERDICTS = 2  # of the diagnosis, the gravest
LEAKS = 4  # that are named, the gravest
CURVE = "training_curve"  # drawn anew
NAMED = 3  # scores in a line
KINDS = (".png", ".svg")


class Figures(dict[str, Path]):
    """Name -> file of figures; a notebook shows them."""

    def _repr_html_(self) -> str:
        from fulmen.report import cell  # matplotlib: for those who look alone

        return cell.pictures(self) if self else "<p>no figures</p>"


@dataclass(frozen=True)
class Shown:
    """What is known of a run.

    Attributes:
        result: as `result.json` has it; {} where there is none, its status `damaged` where it is lost.
        curves: name of a run -> its `metrics.csv`.
        monitor: the metric that was watched.
        verdict: what the report says of the test.
        lost: a clause for each file that is gone or damaged.
    """

    folder: Path
    result: Mapping[str, Any]
    curves: Mapping[str, str] = field(default_factory=dict)
    monitor: str = "val/loss"
    verdict: str = ""
    lost: Sequence[str] = ()


def figures_of(folder: Path, result: Mapping[str, Any]) -> Figures:
    """Every figure of the run, `training_curve` for `figures/training_curve.svg`; of folds `seed_42/fold_0/...` too."""
    found = Figures()
    for run in ["", *map(str, result.get("runs") or [])]:
        for path in sorted((folder / run / "figures").glob("*")):
            if path.suffix in KINDS:
                found["/".join(filter(None, [run, path.stem]))] = path
    return found


def in_a_line(shown: Shown) -> str:
    """`completed, 5 epochs, r2_log 0.93`."""
    result = shown.result
    if not result:
        return "not begun"
    scores = [f"{name} {number(value)}" for name, value in list(tested(result).items())[:NAMED]]
    return ", ".join(
        [str(result.get("status", "unknown")), *([_epochs(result)] if "epochs" in result else []), *scores]
    )


def as_cell(shown: Shown) -> str:
    """Verdict, main table and learning curve as HTML, with a line for each part that is missing."""
    from fulmen.report import cell

    result, curve = shown.result, None
    problems = list(missing(shown))
    if shown.curves:
        try:
            curve = cell.curve(shown.curves, shown.monitor)
        except (ValueError, KeyError, IndexError) as error:
            problems.append(f"The learning curve cannot be drawn: {error}.")
    found = [each for each in result.get("verdicts") or [] if isinstance(each, dict)]
    return cell.whole(
        title=str(result.get("experiment") or shown.folder.parent.name),
        facts=facts(result),
        verdicts=[*filter(None, [shown.verdict]), *leaks_of(result), *map(_verdict, found[:VERDICTS])],
        rows=main_table(result),
        curve=curve,
        figures={name: path for name, path in figures_of(shown.folder, {}).items() if name != CURVE},
        missing=problems,
        folder=str(shown.folder),
    )


def facts(result: Mapping[str, Any]) -> list[str]:
    """How it went, in a few words each."""
    cost = result.get("cost") or {}
    found = [str(result.get("status") or "not begun"), _epochs(result) if "epochs" in result else ""]
    found.append(f"{len(result['runs'])} runs, scores are their means" if result.get("runs") else "")
    found.append(f"{cost['fit_seconds']:.0f} s of training" if is_known(cost.get("fit_seconds")) else "")
    found.append(f"{cost['parameters']:,} parameters" if isinstance(cost.get("parameters"), int) else "")
    return [fact for fact in found if fact]


def tested(result: Mapping[str, Any]) -> dict[str, float]:
    """The scores of the test split, those that baselines have too first and the loss last."""
    metrics = {str(name).removeprefix("test/"): value for name, value in (result.get("metrics") or {}).items()
               if str(name).startswith("test/")}  # fmt: skip
    first: Mapping[str, Any] = next(iter((result.get("baselines") or {}).values()), {})
    shared = [name for name in first if name in metrics]
    names = sorted([*shared, *(name for name in metrics if name not in shared)], key=lambda name: name == "loss")
    return {name: metrics[name] for name in names}


def main_table(result: Mapping[str, Any]) -> Rows:
    """The network beside what costs nothing; of a run without a test what its last epoch and its best one reached."""
    scores, sd = tested(result), result.get("sd") or {}
    if not scores:
        logged = {name: value for name, value in (result.get("metrics") or {}).items() if is_score(name)}
        return [{"metric": spoken(name), "value": number(value)} for name, value in logged.items()]
    names = list(scores)[:COLUMNS]
    own = {spoken(name): _with_sd(scores[name], sd.get(f"test/{name}")) for name in names}
    rivals = {str(who): each for who, each in (result.get("baselines") or {}).items() if isinstance(each, dict)}
    others = [{"": who} | {spoken(name): number(each.get(name)) for name in names} for who, each in rivals.items()]
    return [{"": "network"} | own, *others]


def missing(shown: Shown) -> Iterator[str]:
    """A sentence for each part that a whole run has and this one has not."""
    result = shown.result
    yield from (f"{clause}." for clause in shown.lost)
    if result.get("status") == "damaged":
        return
    if not result:
        yield "Nothing was written yet: it is just beginning, or it has never begun."
        return
    if message := str(result.get("message") or ""):
        yield message
    if not tested(result):
        waits = result.get("status") == "running" or result.get("message")
        yield "The test split has not been evaluated" + (" yet." if waits else ": test=false, or an older run.")
    elif not result.get("baselines"):
        yield "There are no baselines beside it."
    if not shown.curves and not any("metrics.csv" in clause for clause in shown.lost):
        yield "There is no learning curve: no epoch has ended yet, or nothing was logged."
    elif absent := [name for name in map(str, result.get("runs") or []) if name not in shown.curves]:
        yield f"Without a learning curve: {', '.join(absent)}."
    if not figures_of(shown.folder, result):
        yield "There are no figures."
    elif result.get("runs"):
        yield "Its runs have figures: `run.figures` shows them."


def leaks_of(result: Mapping[str, Any]) -> list[str]:
    """A line for each of the gravest leaks, and how many more there are; notes are left to the report."""
    told = [line(leak) for leak in leaks_in(result) if leak.get("severity") in DOUBTED]
    return [*told[:LEAKS], *([f"and {counted(len(told) - LEAKS, 'more leak')}"] if len(told) > LEAKS else [])]


def _with_sd(value: Any, sd: Any) -> str:
    return plus_minus(value, sd) if is_known(value) and is_known(sd) else number(value)


def _verdict(plain: Mapping[str, Any]) -> str:
    return f"{plain.get('severity', 'note')}: {plain.get('finding', '')}"


def _epochs(result: Mapping[str, Any]) -> str:
    epochs = result.get("epochs", 0)
    return f"{epochs} epoch{'s' * (epochs != 1)}"
