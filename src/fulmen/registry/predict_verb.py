"""What `fulmen predict` does, and what it prints."""

import argparse
import json
import sys
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from fulmen.errors import FulmenError
from fulmen.registry import models
from fulmen.registry.store import Store

if TYPE_CHECKING:
    import pandas


def predict(arguments: argparse.Namespace) -> int:
    a = arguments
    if a.explain:
        return explain(a)
    if a.json:
        raise FulmenError("--json goes with --explain; predictions are CSV")
    if a.example and (a.table or a.fallback):
        raise FulmenError("--table and --fallback go with predictions, and --example predicts nothing: leave them out")
    if a.example and a.output:
        raise FulmenError(f"-o takes predictions, and --example predicts nothing: leave out -o {a.output}")
    if a.input is not None and (a.set or a.example):
        raise FulmenError(f"{'--set' if a.set else '--example'} makes the input: leave out {a.input}")
    Store(a.registry).find(a.model)  # a wrong name is found before torch is imported
    if a.input is None and not (a.set or a.example):
        raise FulmenError(
            f"predict what? fulmen predict {a.model} INPUT -o out.csv; --explain shows the format, --example FILE "
            f"writes an example of it"
        )
    if a.input is None:
        return of_example(a)
    from fulmen.registry import using

    return told(a, lambda: using.predict(a.model, a.input, a.registry, a.overrides, a.table, a.fallback))


def explain(arguments: argparse.Namespace) -> int:
    """What an input has to look like, in tables or as JSON."""
    schema = models.explain(arguments.model, arguments.registry)
    if arguments.json:
        print(json.dumps(schema, indent=2, ensure_ascii=False))
        return 0
    from fulmen.registry.explained import show

    show(arguments.model, schema)
    return 0


def of_example(arguments: argparse.Namespace) -> int:
    """The example of a model, with the values that were typed: as a file, or predicted."""
    from fulmen.data.answering import Wanted
    from fulmen.registry import asking
    from fulmen.registry.predictor import Predictor

    a = arguments
    if a.overrides:
        raise FulmenError(f"{a.overrides[0]}: how a file is read; with --set and --example none is")
    predictor, wanted = Predictor(Store(a.registry).find(a.model)), Wanted(a.table, a.fallback)
    predictor.refuse_unknown(wanted)
    records = asking.with_values(predictor, asking.example(predictor), a.set)
    if a.example:
        asking.write_example(predictor, records, a.example)
        rows = f"{len(records)} row{'s' * (len(records) > 1)}"
        print(f"{rows} in {a.example}; predict with: fulmen predict {a.model} {a.example}")
        return 0

    def table() -> "pandas.DataFrame":
        try:
            question = predictor.read_records(records)
        except FulmenError as error:  # of a single row people typed the names alone
            raise FulmenError(str(error).removeprefix("rows[0]." if len(records) == 1 else "")) from None
        return predictor.table(question, wanted)

    return told(a, table)


def told(arguments: argparse.Namespace, predicted: "Callable[[], pandas.DataFrame]") -> int:
    """Print or write the table, and every warning and note once."""
    from fulmen.data.answering import Note
    from fulmen.utils.files import atomic_write

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        table = predicted()
    told = [each for each in caught if each.category in (UserWarning, Note)]
    for text in dict.fromkeys(f"{'warning: ' * (each.category is UserWarning)}{each.message}" for each in told):
        print(text, file=sys.stderr)
    if arguments.output is None:
        table.to_csv(sys.stdout, index=False)
        return 0
    with atomic_write(arguments.output) as file:
        table.to_csv(file, index=False)
    print(f"{len(table):,} predictions in {arguments.output}")
    return 0
