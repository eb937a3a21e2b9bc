"""What the runs of a comparison are called: what tells them apart, and nothing that all share."""

from collections.abc import Mapping, Sequence

from fulmen.report.next_step import first_start
from fulmen.runs.damage import read_typed
from fulmen.runs.run_folder import Run
from fulmen.runs.telling import in_words, typed_settings

EXPERIMENT = "experiment"


def labels_of(runs: Sequence[Run]) -> list[str]:
    """A label for each: experiment and settings in which not all agree.

    Where these tell no two apart it is the folder, with that in which it lies if they lie in several.
    """
    settings = [
        {EXPERIMENT: experiment_of(run), **typed_settings(first_start(read_typed(run.folder)[0]))} for run in runs
    ]
    shared = {key for key in settings[0] if all(each.get(key) == settings[0][key] for each in settings)}
    own = [{key: value for key, value in each.items() if key not in shared} for each in settings]
    if not all(own):  # one of them is the experiment as it stands
        own = [{EXPERIMENT: each[EXPERIMENT], **rest} for each, rest in zip(settings, own, strict=True)]
    found = [_said(each) for each in own]
    if len(set(found)) == len(found):
        return found
    alone, last = len({run.folder.parent for run in runs}) == 1, [run.folder.name for run in runs]
    return last if alone and "" not in last else ["/".join(run.folder.parts[-2:]) for run in runs]


def experiment_of(run: Run) -> str:
    """Its name; where its result.json is lost that of the folder it lies in."""
    return str(run.known.get(EXPERIMENT) or run.folder.resolve().parent.name)


def _said(own: Mapping[str, str]) -> str:
    settings = {key: value for key, value in own.items() if key != EXPERIMENT}
    return " ".join(filter(None, [own.get(EXPERIMENT, ""), in_words(settings)]))
