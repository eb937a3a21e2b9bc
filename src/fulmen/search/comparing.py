"""Champion and baselines on the test split, seed by seed: which metric decides, the table, the conclusion."""

from collections.abc import Mapping, Sequence
from typing import Any

from fulmen.config.directions import direction
from fulmen.report.document import Rows
from fulmen.report.known import Score, best, has_mean, is_known, mean, place
from fulmen.report.spread import spread
from fulmen.report.words import spoken
from fulmen.runs.repeat_verdicts import codes_of, in_words

CHAMPION = "champion"  # beside the names of the baselines
CEILING = "ceiling"  # a baseline that nothing can beat
SHOWN = 5  # metrics in the table

Results = Sequence[Mapping[str, Any]]  # result.json of the champion's runs, one a seed


def deciding(
    results: Results, config: Mapping[str, Any], chosen: str | None = None, mode: str | None = None
) -> tuple[str | None, str | None]:
    """The metric that champion and baselines are compared by, and whether less ("min") or more of it is better.

    It is the one that was chosen; else what the trials were compared by, if both have it; else the first they share of
    which it is known which way is better.

    Args:
        config: of the trainings.
        chosen: `search.compare`.
        mode: `search.compare_mode`.
    """
    monitored = config["monitor"].partition("/")[2]
    shared = shared_metrics(results)
    known = {name: config["mode"] if name == monitored else direction(f"test/{name}", config) for name in shared}
    telling = [name for name in shared if tells(results, name)] or shared
    named = [name for name in telling if known[name]] or telling
    metric = chosen or (monitored if monitored in telling else next(iter(named), None))
    return metric, mode or (known.get(metric) if metric else None)


def tells(results: Results, metric: str) -> bool:
    """Whether the champion and at least one baseline have a value of `metric` in every seed."""
    rivals = (mean(_scores(results, name, metric)) for name in rivals_of(results))
    return is_known(mean(_scores(results, CHAMPION, metric))) and any(map(is_known, rivals))


def rivals_of(results: Results) -> list[str]:
    """The baselines that can be beaten."""
    return [name for name in results[0]["baselines"] if name != CEILING]


def shared_metrics(results: Results) -> list[str]:
    """The test metrics that every run and every baseline of it has, and that have a mean."""
    names: list[list[str]] = []
    for result in results:
        own = [name.removeprefix("test/") for name in result["metrics"] if name.startswith("test/")]
        names += [own, *(list(scores) for scores in result["baselines"].values())]
        if not result["baselines"]:
            return []
    return [name for name in names[0] if has_mean(name) and all(name in others for others in names)]


def compared(results: Results, metric: str | None) -> Rows:
    """Champion and baselines: mean and deviation over the seeds of every metric they share, the deciding one first."""
    shared = shared_metrics(results)
    if metric not in shared:
        return [{"": CHAMPION}]
    shown = [metric, *(name for name in shared if name != metric)][:SHOWN]
    return [
        {"": name, **{column: _spread(_scores(results, name, column)) for column in shown}}
        for name in [CHAMPION, *results[0]["baselines"]]
    ]


def conclusion(results: Results, metric: str | None, mode: str | None) -> str:
    """Whether the champion beats the best baseline, seed by seed, in one sentence."""
    if metric is None:
        return "This experiment has no baselines: the champion is the best of the trials, which says little."
    if metric not in (shared := shared_metrics(results)):
        return (
            f"search.compare={metric} decides nothing: champion and baselines share {', '.join(shared) or 'nothing'}."
        )
    if mode is None:
        return f"Nobody says which way {metric} is better: search.compare_mode=min or max, and the same command again."
    rival = best_rival(results, metric, mode)
    if rival is None:
        return f"No baseline has a value of {metric} in every seed: nothing can be said of the champion beside them."
    own, theirs = _scores(results, CHAMPION, metric), _scores(results, rival, metric)
    wins = wins_over(own, theirs, mode)
    numbers = (
        f"{spoken(metric)} {_spread(own)} against {_spread(theirs)} of {rival!r}, better in {wins} of {len(own)} seeds"
    )
    codes = codes_of(results)
    if wins and codes and set(codes) != {"better_than_baselines"}:  # seeds share their test items: these decide
        ahead = "is ahead of every baseline" if wins == len(own) else "is ahead of the baselines in some seeds"
        return (
            f"The champion {ahead}, which the test splits do not show to be more than luck: {numbers}. "
            f"{in_words(codes, 'seed')}."
        )
    if wins == len(own):
        return f"The champion beats every baseline on the test split: {numbers}."
    if wins:
        return f"It is not certain that the champion beats the baselines on the test split: {numbers}."
    return (
        f"No candidate beats the best baseline on the test split: {numbers}. The search found nothing to use instead."
    )


def seeds_won(results: Results, metric: str | None, mode: str | None) -> int | None:
    """In how many seeds the champion beats the best baseline; None where they cannot be compared."""
    if metric not in shared_metrics(results) or metric is None or mode is None:
        return None
    rival = best_rival(results, metric, mode)
    return None if rival is None else wins_over(
        _scores(results, CHAMPION, metric), _scores(results, rival, metric), mode)  # fmt: skip


def best_rival(results: Results, metric: str, mode: str) -> str | None:
    """The baseline with the best mean; None where none has a value in every seed."""
    return best({name: mean(_scores(results, name, metric)) for name in rivals_of(results)}, mode == "max")


def wins_over(own: Sequence[Score], theirs: Sequence[Score], mode: str) -> int:
    """How often the first is better than the second, seed by seed."""
    larger = mode == "max"
    return sum(place(a, larger) < place(b, larger) for a, b in zip(own, theirs, strict=True))


def _scores(results: Results, name: str, metric: str) -> list[Score]:
    """What the champion or a baseline has in each seed; None where it has no value."""
    if name == CHAMPION:
        return [result["metrics"][f"test/{metric}"] for result in results]
    return [result["baselines"][name][metric] for result in results]


def _spread(values: Sequence[Score]) -> str:
    """`1.2 ± 0.1`; where some are missing, of how many it is."""
    known = [value for value in values if is_known(value)]
    if not known:
        return "no value"
    return spread(known) + (f" (in {len(known)} of {len(values)})" if len(known) < len(values) else "")
