"""Questions to a kept model made of its example: as a file, or with some values set by words."""

import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from fulmen.config.mistakes import did_you_mean
from fulmen.data.predicting import Predicts
from fulmen.errors import FulmenError
from fulmen.registry.json_schema import described
from fulmen.registry.predictor import Predictor
from fulmen.utils.files import atomic_write
from fulmen.workload import hooks

Records = list[dict[str, Any]]


def example(predictor: Predictor) -> Records:
    """The rows of its example: one, where each stands alone; as many as it needs, where it looks at a history.

    Raises:
        FulmenError: its workload knows no example.
    """
    records = predictor.examples()
    if not records:
        raise FulmenError(f"{predictor.version}: its workload knows no example (it has no example_records)")
    return records if predictor.rows_needed() > 1 else records[:1]


def with_values(predictor: Predictor, records: Records, words: Sequence[str]) -> Records:
    """The records with `dose_mg=100 volume_l.liver=1.8` in them.

    What is the same in all rows of the example stays the same in all; of what changes the last row gets the value.

    Raises:
        FulmenError: a name that the model does not read.
    """
    changed, given = deepcopy(records), []
    for word in words:
        path, _, text = word.partition("=")
        name, _, part = path.strip().partition(".")
        if name not in records[0]:
            known = list(dict.fromkeys([*records[0], *(facts["name"] for facts in described(predictor.schema))]))
            if name not in known:
                raise FulmenError(f"--set {word}: {predictor.version} reads no {name}{did_you_mean(name, known)}")
        given.append(name)
        same = all(record.get(name) == records[0].get(name) for record in records)
        for record in changed if same else changed[-1:]:
            if not part:
                record[name] = value_of(text)
                continue
            values = record.get(name)
            if not isinstance(values, dict) or part not in values:
                told = did_you_mean(part, values) if isinstance(values, dict) else f"; {name} is a single value"
                raise FulmenError(f"--set {word}: there is no {part} of {name}{told}")
            values[part] = value_of(text)
    own: Predicts = hooks(predictor.model)
    return [own.completed_record(record, given, predictor.schema) for record in changed]


def value_of(text: str) -> Any:
    """A number, null or list, as JSON writes them; anything else is a text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text.strip()
    return value if isinstance(value, int | float | list) or value is None else text.strip()


def refuse_ending(predictor: Predictor, path: str | Path) -> None:
    """Pass if the model reads files that end like `path`.

    Raises:
        FulmenError: it does not.
    """
    endings = hooks(predictor.model).endings
    if Path(path).suffix.lower() not in endings:
        raise FulmenError(
            f"--example {path}: {predictor.version} reads {' and '.join(endings)} files; end it like that"
        )


def write_example(predictor: Predictor, records: Records, path: str | Path) -> None:
    """Write records as a file that `fulmen predict` reads as it stands.

    Raises:
        FulmenError: the model reads no files of that ending.
    """
    refuse_ending(predictor, path)
    own: Predicts = hooks(predictor.model)
    content = own.as_file(records, Path(path).suffix.lower(), predictor.schema)
    with atomic_write(path, "wb") as file:
        file.write(content)
