"""The report of one experiment over several folds and seeds: mean, spread, and how often it is ahead of a baseline."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fulmen.diagnosis.findings import FINDINGS
from fulmen.io.taken import points_of_plain
from fulmen.report import spread
from fulmen.report.behind import ITEMS, behind
from fulmen.report.document import Column, Figure, Report, Rows, Section, TableOf
from fulmen.report.html import write
from fulmen.report.known import best, has_mean, is_known, place
from fulmen.report.leaks import REMOVED, SCANNED, cautioned, cure_of, leak_sections
from fulmen.report.markdown import as_text
from fulmen.report.next_step import diagnose, keep, rank_again, train_again
from fulmen.report.of_run import CEILING, data_section
from fulmen.report.words import counted, sentence, spoken
from fulmen.runs.repeat_verdicts import chance_of, codes_of, in_words, share_a_split
from fulmen.runs.result import Result

FIGURE = "spread.svg"
OF_FOLDS = (
    "sd: over the runs. The training splits of folds overlap, so the sd of folds says how much one fold tells, "
    "and is no standard error of the mean."
)
OF_SEEDS = "sd: over the seeds, which differ in chance alone: initial weights, order, and whatever the data draw by it."
ONE_SPLIT = (
    "All are judged on one and the same test split: that ± says nothing of other {items}, which the intervals of the "
    "verdicts are for."
)

Results = Sequence[Mapping[str, Any]]  # result.json of each run


def write_report(
    result: Result, results: Results, rows: Rows, typed: Sequence[str], ensemble: Mapping[str, Any] | None = None
) -> Path:
    """Write report.md, report.html and the figure of the spread; the path of the first.

    Args:
        result: of all runs together.
        rows: of the table of runs that the console shows.
        typed: what was typed.
        ensemble: `result.json` of the ensemble of all runs, if there is one.
    """
    metric, rival = decided_by(result, results)
    lead = None
    if metric:
        own = [one["metrics"].get(f"test/{metric}") for one in results]
        scores = {"network": own} | {
            name: [one["baselines"][name].get(metric) for one in results] for name in result.baselines
        }
        spread.draw(result.folder / "figures" / FIGURE, scores, metric, unit(result.runs))
        caption = f"{sentence(spoken(metric))} of each {unit(result.runs)}, network and baselines"
        lead = Figure(caption, f"figures/{FIGURE}")
    why, command = next_of(result, results, metric, rival, typed)
    runs = counted(len(results), unit(result.runs))
    each = TableOf("Each run", rows, {"": Column("run")}, behind=behind(results, ("val", "test")))
    where = {name: f"{name}/report.html" for name in result.runs}
    sure = OF_FOLDS if has_folds(result.runs) else OF_SEEDS
    if share_a_split(results):
        sure = f"{sure} {ONE_SPLIT.format(items='items' if result.counted in ('', ITEMS) else result.counted)}"
    said, sure = cautioned(result.leaks, answer(result, results, metric, rival, ensemble), sure)
    scanned = any(SCANNED in (one.get("cost") or {}) for one in results)
    leaks = leak_sections(result.leaks, scanned, result.unscanned, result.ignored)
    return write(
        Report(
            title=f"{len(results)} runs of {result.experiment}",
            question=f"How well does {as_text(result.experiment)} do, and how far do {runs} lie apart?",
            answer=said,
            how_sure=sure,
            facts=f"{made_of(result.runs)}, {result.cost.get('fit_seconds', 0):.0f} s of training. "
            f"Overrides: `{' '.join(typed)}`.",
            lead=lead,
            main=means(result, results),
            next_command=command,
            next_why=why,
            sections=[*data_section(points_of_plain(result.taken)), *leaks, Section("Each run", tables=[each])],
            attached={name: result.folder / file for name, file in
                      (("Configuration", "config.yaml"), ("Environment", "environment.json"))},
            links=where,
        ),
        result.folder,
    )  # fmt: skip


def unit(runs: Sequence[str]) -> str:
    """What a run is called: a fold, a seed, or a run where both vary."""
    if not has_folds(runs):
        return "seed"
    return "fold" if len(seeds_of(runs)) == 1 else "run"


def made_of(runs: Sequence[str]) -> str:
    """`3 folds`, `3 seeds`, or `4 runs (2 folds of each of 2 seeds)`."""
    said, seeds = counted(len(runs), unit(runs)), seeds_of(runs)
    return f"{said} ({len(runs) // len(seeds)} folds of each of {len(seeds)} seeds)" if unit(runs) == "run" else said


def has_folds(runs: Sequence[str]) -> bool:
    """Whether the runs, `seed_42/fold_0` or `seed_42`, are of folds."""
    return any("/" in name for name in runs)


def seeds_of(runs: Sequence[str]) -> set[str]:
    return {name.partition("/")[0] for name in runs}


def decided_by(result: Result, results: Results) -> tuple[str | None, str | None]:
    """The first metric of which it is known which way is better, and the baseline that is best by it."""
    for metric, way in result.better.items():
        if has_mean(metric) and all(is_known(one["metrics"].get(f"test/{metric}")) for one in results):
            rivals = {name: scores.get(metric) for name, scores in result.baselines.items() if name != CEILING}
            return metric, best(rivals, way == "max")
    return None, None


def answer(
    result: Result, results: Results, metric: str | None, rival: str | None, ensemble: Mapping[str, Any] | None = None
) -> str:
    """What the runs show by their own verdicts, the ensemble's before them; then the mean, its spread and the baseline.

    Args:
        metric: that the runs are summed up by, see `decided_by`.
        rival: the best baseline by it.
        ensemble: `result.json` of the ensemble of all runs, if there is one.
    """
    codes, verdict = codes_of(results), (ensemble or {}).get("shown") or {}
    scores = scores_in_words(result, results, metric, rival, codes is not None)
    said = f"{in_words(codes, unit(result.runs))}: {scores}." if codes else f"{sentence(scores)}."
    if not verdict.get("sentence"):
        return said
    code = str(verdict["code"])
    own = f"The ensemble ({FINDINGS[code]}): {as_text(str(verdict['sentence']))}"
    if codes and set(codes) == {code}:
        return f"{own} Each of its members shows the same: {scores}."
    return f"{own} Its members: {said[0].lower() if codes else said[0]}{said[1:]}"


def scores_in_words(result: Result, results: Results, metric: str | None, rival: str | None, judged: bool) -> str:
    """The mean and its spread beside the best baseline, as numbers: what they show is for the verdicts to say."""
    if metric is None:
        return f"all {len(results)} runs came to their end; of no test score is it known which way is better"
    count, chance = len(results), chance_of(results, metric)
    own = spread.spread([one["metrics"][f"test/{metric}"] for one in results])
    said = f"{spoken(metric)} is {own} over {counted(count, unit(result.runs))}{f' ({chance})' if chance else ''}"
    if rival is None:
        return f"{said}; there is no baseline beside it"
    theirs = spread.spread([one["baselines"][rival].get(metric) for one in results])
    beside = f"the best baseline ({as_text(rival)}, {theirs}) in"
    ahead, after = wins(result, results, metric, rival)
    if count in (ahead, after):
        said = f"{said}, {'ahead of' if ahead else 'behind'} {beside} {'both' if count == 2 else f'all {count}'}"
    else:
        said = f"{said}, ahead of {beside} {ahead} of {count} and behind it in {after}"
    return said if judged else f"{said}; whether that is more than chance was not judged"


def wins(result: Result, results: Results, metric: str, rival: str) -> tuple[int, int]:
    """In how many runs the network is better than a baseline, and in how many worse."""
    larger = result.better[metric] == "max"
    pairs = [(place(one["metrics"][f"test/{metric}"], larger), place(one["baselines"][rival].get(metric), larger))
             for one in results]  # fmt: skip
    return sum(own < theirs for own, theirs in pairs), sum(own > theirs for own, theirs in pairs)


def means(result: Result, results: Results) -> TableOf:
    """Mean and sd of network and baselines, with the number of runs and of test items behind them."""
    names = [name.removeprefix("test/") for name in result.metrics if name.startswith("test/") and name != "test/loss"]

    def row(name: str, scores: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {"": name} | {metric: spread.spread([one.get(metric) for one in scores]) for metric in names}

    tested = [{name: one["metrics"].get(f"test/{name}") for name in names} for one in results]
    rows = [row("network", tested), *(row(name, [one["baselines"][name] for one in results])
                                      for name in result.baselines)]  # fmt: skip
    of = behind(results, runs=len(results), unit=unit(result.runs))
    return TableOf("Mean and sd over the runs", rows, {"": Column("model")}, behind=of)


def next_of(
    result: Result, results: Results, metric: str | None, rival: str | None, typed: Sequence[str]
) -> tuple[str, str]:
    """Why, and what to type next."""
    if cure := cure_of(result.leaks):
        return REMOVED, train_again(result.experiment, typed, *cure)
    count, seeds = len(results), len(seeds_of(result.runs))
    ahead = wins(result, results, metric, rival)[0] if metric and rival else count
    codes = codes_of(results)
    lost = bool(codes) and not any(code.startswith("better") for code in codes or ())
    if metric and (lost or not ahead):
        what = "shown to be better than chance and the constant" if lost else "ahead of that baseline"
        worst = sorted(results, key=lambda one: place(one["metrics"][f"test/{metric}"], result.better[metric] == "max"))
        folder = result.folder / result.runs[list(results).index(worst[-1])]
        return f"No run is {what}. This says what is wrong with the last of them:", diagnose(folder)
    if ahead < count and has_folds(result.runs):
        why = f"The network is ahead in {ahead} of {count} runs only. This tests whether it differs from the baselines:"
        return why, rank_again(result.experiment, typed, count // seeds, seeds)
    if ahead < count:
        why = f"The network is ahead with {ahead} of {count} seeds only. This trains it with more:"
        return why, train_again(result.experiment, typed, f"seeds={2 * count}")
    if has_folds(result.runs):
        rest = [override for override in typed if not override.startswith("folds=")]
        return "The folds have told what to expect. This trains on the whole training split:", train_again(
            result.experiment, rest
        )
    monitored = [one["metrics"].get(f"test/{metric}") if metric else None for one in results]
    larger = bool(metric) and result.better.get(str(metric)) == "max"
    middle = sorted(range(len(results)), key=lambda number: place(monitored[number], larger))[len(results) // 2]
    return "This keeps the model of the seed in the middle:", keep(
        result.folder / result.runs[middle], result.experiment
    )
