"""What a request asks a kept model, and what it is answered: JSON or a file in, JSON or CSV out."""

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fulmen.errors import FulmenError
from fulmen.serve.problems import Problem, wrong

if TYPE_CHECKING:
    from fulmen.data.answering import Wanted
    from fulmen.data.predicting import Inputs
    from fulmen.registry.predictor import Predictor

NUMBERS = 4_000_000  # in one answer; more are refused before a table is made of them


@dataclass(frozen=True)
class Question:
    """A body of JSON, or a file.

    Attributes:
        rows: that it may hold.
        csv: whether the answer has to be CSV.
        body: `{"rows": [...]}`; empty where there is a file.
        file: of the workload's format.
        reading: how the file is read, see `Predicts.reading`.
        table: which of the model's tables is wanted; None: the usual one.
    """

    rows: int
    csv: bool = False
    body: bytes = b""
    file: Path | None = None
    reading: tuple[tuple[str, str], ...] = ()
    table: str | None = None

    @property
    def wanted(self) -> "Wanted":
        """The table, as a model is asked for it."""
        from fulmen.data.answering import Wanted

        return Wanted(self.table)


@dataclass(frozen=True)
class Reply:
    """An answer, ready to be sent, and how many rows were predicted."""

    content: bytes
    rows: int


def answer_all(predictor: "Predictor", questions: Sequence[Question]) -> list[Reply | Exception]:
    """An answer, or what is wrong, for each question; their rows are predicted together."""
    read = [_or_error(_inputs, predictor, question) for question in questions]
    done = (Reply, Exception)  # where nothing is left to predict
    predicted = iter(_predicted(predictor, [each for each in read if not isinstance(each, done)]))
    replies: list[Reply | Exception] = []
    for question, each in zip(questions, read, strict=True):
        said = each if isinstance(each, done) else next(predicted)
        replies.append(said if isinstance(said, done) else _or_error(_reply, predictor, question, each, said))
    return replies


def _or_error(call: Any, *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except Exception as error:
        return error


def _predicted(predictor: "Predictor", inputs: "Sequence[Inputs]") -> list[Any]:
    """What the model says of each; if it fails at all together, each is tried alone."""
    if not inputs:
        return []
    try:
        return predictor.predict(inputs)
    except Exception as error:
        if len(inputs) == 1:
            return [error]
        return [each for one in inputs for each in _predicted(predictor, [one])]


def _inputs(predictor: "Predictor", question: Question) -> "Inputs | Reply":
    try:
        predictor.refuse_unknown(question.wanted)
    except FulmenError as error:
        raise wrong("table", str(error)) from None
    if question.file is None:
        return _of_records(predictor, question)
    try:
        if predictor.has_own_table:
            return _of_own_table(predictor, question, question.file)
        inputs = predictor.read_file(question.file, **dict(question.reading))
    except FulmenError as error:
        raise wrong("file", str(error).replace(str(question.file), question.file.name)) from None
    except MemoryError:
        raise Problem(413, f"{question.file.name} holds more than fits into memory") from None
    inputs.warnings = [each.replace(str(question.file), question.file.name) for each in inputs.warnings]
    _refuse_too_many(inputs.rows, question.rows)
    return inputs


def _of_own_table(predictor: "Predictor", question: Question, file: Path) -> Reply:
    """The answer of a workload that turns files into tables in one step; nothing is known of ranges then."""
    from fulmen.data.predicting import Answer, Inputs
    from fulmen.serve.answers import as_csv, as_json

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        table = predictor.predict_file(file, question.wanted, **dict(question.reading))
    _refuse_too_many(len(table), question.rows)
    said = [str(each.message).replace(str(file), file.name) for each in caught if each.category is UserWarning]
    answer = Answer({str(name): table[name].to_numpy() for name in table.columns})
    inputs = Inputs({}, len(table), warnings=said)
    return Reply(as_csv(answer) if question.csv else as_json(answer, inputs, predictor), len(table))


def _of_records(predictor: "Predictor", question: Question) -> "Inputs":
    records = records_of(question.body)
    _refuse_too_many(len(records), question.rows)
    try:
        return predictor.read_records(records)
    except FulmenError as error:
        place, found, problem = str(error).partition(": ")
        if found and place.startswith("rows"):
            raise wrong(place, problem) from None
        raise wrong("rows", str(error)) from None


def records_of(body: bytes) -> list[Any]:
    """The rows in the body of a request.

    Raises:
        Problem: it is no `{"rows": [...]}`.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise wrong("body", f"it is no JSON ({error})", 'send {"rows": [{...}]}') from None
    if not isinstance(content, dict) or not isinstance(content.get("rows"), list):
        raise wrong("rows", "the body has to be an object with a list of rows", 'send {"rows": [{...}]}')
    if strange := [name for name in content if name != "rows"]:
        raise wrong(str(strange[0])[:100], "no such field; the body holds rows alone")
    return content["rows"]


def _refuse_too_many(rows: int, most: int) -> None:
    if rows > most:
        raise Problem(413, f"{rows:,} rows are more than one request may hold, {most:,}; send several requests")


def _reply(predictor: "Predictor", question: Question, inputs: "Inputs", predicted: dict[str, Any]) -> Reply:
    numbers = sum(value.numel() for value in predicted.values())
    if numbers > NUMBERS:
        raise Problem(
            413, f"the answer would hold {numbers:,} numbers, at most {NUMBERS:,} are sent; ask for fewer rows"
        )
    from fulmen.serve.answers import as_csv, as_json

    answer = predictor.answer(inputs, predicted, question.wanted)
    content = as_csv(answer) if question.csv else as_json(answer, inputs, predictor)
    return Reply(content, inputs.rows)
