"""`fulmen pbpk sensitivities`: elasticities of subjects in a file, as a table and a figure."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from fulmen.config.arguments import AnyOrder
from fulmen.errors import FulmenError
from fulmen.utils.files import atomic_write
from fulmen.workload import Trained
from fulmen.workloads.pbpk import predict
from fulmen.workloads.pbpk.npz import population_from
from fulmen.workloads.pbpk.npz_reading import read_subjects
from fulmen.workloads.pbpk.sensitivity import EXPOSURES, INPUTS, UNITS, Curves, Sensitivities, sensitivities, told
from fulmen.workloads.pbpk.simulate.decimals import Decimal
from fulmen.workloads.pbpk.simulate.hours import usual_times
from fulmen.workloads.pbpk.simulate.subjects import Subjects, subjects_of
from fulmen.workloads.pbpk.simulate.table import read_table
from fulmen.workloads.pbpk.simulate.verb import refuse_settings
from fulmen.workloads.pbpk.simulator.outputs import FROM_ORGANS
from fulmen.workloads.pbpk.simulator.physiology import known
from fulmen.workloads.pbpk.simulator.population import Population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate

if TYPE_CHECKING:
    import pandas

EXAMPLE = "fulmen pbpk sensitivities people.csv --to sensitivities.csv"
BY = ("solver", "surrogate", "both")
TOGETHER = 600  # copies of subjects, one for each exposure, which bounds the memory for what is replayed backwards
DIGITS = "%.6g"


def write_sensitivities(cfg: Any, words: Sequence[str], load: Callable[[str], Trained]) -> None:
    """Write which inputs move AUC, Cmax and half-life most: fulmen pbpk sensitivities people.csv --to out.csv

    Args:
        cfg: checked; nothing of it may have been set.
        words: the file, and options; see `_options`.
        load: finds a trained model by its name.

    Raises:
        FulmenError: a word, a file or a model that does not fit.
    """
    asked = _options(words)
    refuse_settings(cfg, "sensitivities")
    trained = load(asked.model) if asked.model else None
    subjects = subjects_in(asked.subjects, trained.schema["kinetics"] if trained else None, asked.decimal or "auto")
    if trained:
        subjects = _as_trained(subjects, trained)
    places, parts = [], []
    for place, people, kinetics in subjects.groups():
        if trained:
            _warn(people, trained)
            time_h = torch.tensor(trained.schema["time_h"], dtype=torch.float64)
        else:
            time_h = usual_times(people)
        by = _curves(asked.by, trained, time_h, kinetics)
        for block in torch.arange(len(place)).split(max(TOGETHER // (len(asked.of) * len(asked.organs)), 1)):
            places.append(place[block])
            parts.append(
                {name: sensitivities(people[block], c, time_h, asked.of, asked.organs) for name, c in by.items()}
            )
    order = torch.cat(places).argsort()
    found = {name: told(joined([part[name] for part in parts], order)) for name in parts[0]}
    with atomic_write(asked.to) as file:
        table(found, subjects).to_csv(file, index=False, float_format=DIGITS, lineterminator="\n")
    from fulmen.workloads.pbpk.tornado import tornado

    tornado(asked.to.with_suffix(".svg"), found)
    print(f"written: {asked.to}\nwritten: {asked.to.with_suffix('.svg')}")


def subjects_in(path: Path, kinetics: str | None, decimal: Decimal = "auto") -> Subjects:
    """The subjects of a CSV as `fulmen pbpk simulate` reads it, or of an `.npz`.

    Args:
        path: of the file.
        kinetics: of the model that will be asked; None: of none.
        decimal: the sign before the decimals of a CSV.

    Raises:
        FulmenError: the file is not there, or does not fit.
    """
    if path.suffix != ".npz":
        return subjects_of(read_table(path, decimal))
    if not path.is_file():
        raise FulmenError(f"there is no file {path}; `fulmen pbpk export {path}` writes an example")
    arrays = read_subjects(path, kinetics)
    people = population_from(arrays)
    everyone = torch.ones(len(people))
    return Subjects(
        name=[str(number) for number in range(len(people))],
        compound=[str(number) for number in people.compound.tolist()],
        population=people,
        n_doses=(people.n_doses * everyone).long(),
        interval_h=people.interval_h * everyone.double(),
        linear=(everyone * (str(arrays.get("kinetics", kinetics)) == "linear")).bool(),
    )


def joined(parts: Sequence[Sensitivities], order: Tensor) -> Sensitivities:
    """Those of all subjects, in this order [S]."""
    value, elasticity, moves = (
        torch.cat([getattr(part, name) for part in parts])[order] for name in ("value", "elasticity", "peak_moves")
    )
    return replace(parts[0], value=value, elasticity=elasticity, peak_moves=moves)


def table(found: Mapping[str, Sensitivities], subjects: Subjects) -> "pandas.DataFrame":
    """One row for each subject, organ, exposure and input; and for each of `found`, which is by solver or surrogate."""
    import pandas

    parts = []
    for by, each in found.items():
        names = [[by], range(len(subjects)), each.places, each.exposures, INPUTS]
        index = pandas.MultiIndex.from_product(names, names=["by", "row", "organ", "exposure", "input"])
        part = pandas.DataFrame(index=index).reset_index()
        part["subject"], part["compound"] = (
            part["row"].map(dict(enumerate(names))) for names in (subjects.name, subjects.compound)
        )
        part["value"] = each.value[..., None].expand_as(each.elasticity).flatten().numpy()
        part["unit"] = part["exposure"].map(UNITS)
        parts.append(part.assign(elasticity=each.elasticity.flatten().numpy()))
    columns = ["subject", "compound", "by", "organ", "exposure", "value", "unit", "input", "elasticity"]
    return pandas.concat(parts).sort_values("row", kind="stable")[columns]


def _options(words: Sequence[str]) -> argparse.Namespace:
    reader = AnyOrder(prog="fulmen pbpk sensitivities", description="Elasticities d ln(exposure) / d ln(input).")
    reader.add_argument("subjects", type=Path, help="CSV as for `fulmen pbpk simulate`, or .npz as `export` writes it")
    reader.add_argument(
        "--to", type=Path, required=True, metavar="FILE.csv", help="table; a figure (.svg) lies beside it"
    )
    reader.add_argument("--model", help="a kept model or a run folder, for the elasticities of a surrogate")
    reader.add_argument("--by", choices=BY, help="by which they are computed (default: solver; with a model: both)")
    reader.add_argument("--of", default="auc,cmax,half_life", help=f"exposures, of {', '.join(EXPOSURES)}")
    reader.add_argument("--decimal", choices=("point", "comma"), help="sign before the decimals (default: found out)")
    reader.add_argument("--organs", default="plasma", help="organs, or plasma (default: plasma)")
    asked = reader.parse_args(list(words))
    asked.by = asked.by or ("both" if asked.model else "solver")
    if asked.by != "solver" and not asked.model:
        raise FulmenError(f"--by {asked.by} needs a surrogate: {EXAMPLE} --model NAME")
    if asked.to.suffix != ".csv" or asked.to.resolve() == asked.subjects.resolve():
        raise FulmenError(f"--to {asked.to}: it has to be another file, a .csv: {EXAMPLE}")
    asked.of = [known(name, EXPOSURES, "exposure", "--of") for name in asked.of.split(",")]
    asked.organs = [known(name, FROM_ORGANS, "organ", "--organs") for name in asked.organs.split(",")]
    return asked


def _as_trained(subjects: Subjects, trained: Trained) -> Subjects:
    """The subjects with the kinetics of a model: a saturable one takes drugs that never saturate, by their Km.

    Raises:
        FulmenError: a drug that saturates, for a model that knows none.
    """
    linear = trained.schema["kinetics"] == "linear"
    if linear and not subjects.linear.all():
        name = subjects.name[int(subjects.linear.int().argmin())]
        raise FulmenError(f"subject {name} has a Km, and {trained.name} knows linear kinetics alone")
    return replace(subjects, linear=torch.full_like(subjects.linear, linear))


def _warn(people: Population, trained: Trained) -> None:
    """Say what a model has to say of subjects that are not like those of its training.

    Raises:
        FulmenError: it has no gradients, or knows no such regimen.
    """
    model: Any = trained.model
    if model.reduced == "runge_kutta":
        raise FulmenError(f"{trained.name} learned beside reduced=runge_kutta, which has no gradients; train it again")
    asked = predict.inputs_of(people, trained.schema)
    for warning in predict.unlike_training(asked, model.trust) or asked.warnings:
        print(f"warning: {warning}", file=sys.stderr)


def _curves(by: str, trained: Trained | None, time_h: Tensor, kinetics: str) -> dict[str, Curves]:
    """What makes curves, by its name."""
    made: dict[str, Curves] = {}
    if by != "surrogate":
        made["solver"] = lambda people: concentrations(people, simulate(people, time_h, kinetics))
    if trained and by != "solver":
        model: Any = trained.model.double()
        made["surrogate"] = lambda people: model.predict_population(people, time_h, kinetics)
    return made
