"""What a search leaves in the registry: its champion under the alias `champion`, and the best trials if asked for."""

import sys
from collections.abc import Sequence
from pathlib import Path

from fulmen.errors import FulmenError
from fulmen.registry.names import model_name
from fulmen.registry.save import save_run
from fulmen.registry.store import Store
from fulmen.registry.versions import Version
from fulmen.report.known import place
from fulmen.runs.reading import read_result
from fulmen.search.champion import Champion
from fulmen.search.study import Study


def keep(study: Study, champion: Champion | None) -> list[Version]:
    """Save the champion and `search.save_top` trials; a run that is kept already is not saved again.

    What cannot be saved is a warning: the search itself has succeeded.
    """
    saved: list[Version] = []
    try:
        name = model_name(study.plan.name)
        store = Store()
        if champion and champion.folders:
            best = best_seed(study, champion.folders)
            note = f"champion of the search {study.plan.name}. {champion.conclusion}"
            version = save_once(store, best, name, study.plan.overrides, note)
            saved.append(version)
            if not was_promoted(store, version):  # a person may have promoted another one since
                store.promote(version, "champion", note=f"search {study.plan.name}, trial {champion.trial.number}")
        for rank, trial in enumerate(study.ranked()[: study.search.save_top], 1):
            note = f"place {rank} of the search {study.plan.name}, trial {trial.number}: not tested, not retrained"
            saved.append(save_once(store, study.trial_folder(trial.number), name, study.plan.overrides, note))
    except FulmenError as error:
        print(f"warning: not kept as a model: {error}", file=sys.stderr)
    if saved:
        print(f"kept as models: {', '.join(map(str, saved))} (fulmen models list)", flush=True)
    return saved


def best_seed(study: Study, folders: list[Path]) -> Path:
    """The run with the best monitored value on the validation split: the test split must not choose."""
    monitor, larger = f"best/{study.base['monitor']}", study.base["mode"] == "max"
    return min(folders, key=lambda folder: place(read_result(folder)["metrics"].get(monitor), larger))


def was_promoted(store: Store, version: Version) -> bool:
    """Whether the alias `champion` ever pointed to `version`."""
    moves = (entry for entry in store.aliases(version.name).history if entry.get("alias") == "champion")
    return any(move.get("version") == version.number for move in moves)


def save_once(store: Store, folder: Path, name: str, overrides: Sequence[str], note: str) -> Version:
    """Save a run, or find the version that was saved of it before.

    Raises:
        FulmenError: the run cannot be saved.
    """
    for version in store.versions(name) if store.numbers(name) else []:
        run = version.manifest.get("run")
        if run and run.get("folder") == str(folder.resolve()) and run.get("steps") == read_result(folder).get("steps"):
            return version
    return save_run(folder, name, note, registry=store.root, overrides=overrides)
