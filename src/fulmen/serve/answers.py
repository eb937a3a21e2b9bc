"""Predictions as JSON or CSV."""

import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np

from fulmen.data.predicting import Answer, Inputs
from fulmen.registry.predictor import Predictor


def as_json(answer: Answer, inputs: Inputs, predictor: Predictor) -> bytes:
    """The predictions with all that is known of them; see `fulmen.serve.api.predictions.Predictions`."""
    names = list(answer.columns)
    rows = zip(*(plain(values) for values in answer.columns.values()), strict=True)
    beyond = {each.row for each in inputs.outside}
    content = {
        "model": str(predictor.version),
        "workload": predictor.version.manifest.get("workload"),
        "columns": [{"name": name, "unit": answer.units.get(name)} for name in names],
        "rows": [dict(zip(names, row, strict=True)) for row in rows],
        "intervals": [asdict(each) for each in answer.intervals],
        "in_range": [row not in beyond for row in range(inputs.rows)],
        "outside": [{**asdict(each), "message": str(each)} for each in inputs.outside],
        "warnings": inputs.warnings,
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False).encode()


def as_csv(answer: Answer) -> bytes:
    """The table alone, as `fulmen predict` writes it."""
    import pandas

    return pandas.DataFrame(answer.columns).to_csv(index=False).encode()


def plain(values: np.ndarray) -> list[Any]:
    """Plain values of JSON: days as ISO dates, null for what is no finite number."""
    if values.dtype.kind == "M":
        return values.astype(str).tolist()
    listed = values.tolist()
    if values.dtype.kind in "fO" and not all(map(_writable, listed)):
        return [value if _writable(value) else None for value in listed]
    return listed


def _writable(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)
