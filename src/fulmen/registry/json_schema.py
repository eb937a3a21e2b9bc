"""A JSON Schema (draft 2020-12) of what a kept model predicts for, made of the input schema that was kept with it.

A range seen in training is no limit: a value outside is predicted, with a warning. It stands in `x-range`, the unit in
`x-unit`, and both in the description, for people.
"""

from collections.abc import Mapping, Sequence
from typing import Any

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Facts = Mapping[str, Any]  # what an input schema says of one column or array


def request_schema(schema: Facts, title: str, rows: int) -> dict[str, Any]:
    """Of the body of a request for predictions: `{"rows": [{name: value}]}`.

    Args:
        schema: the input schema of a version.
        title: names the version.
        rows: that one request may hold.
    """
    known = list(described(schema))
    row: dict[str, Any] = {
        "type": "object",
        "properties": {facts["name"]: _property(facts) for facts in known},
        "required": [facts["name"] for facts in known if not _optional(facts)],
    }
    return {
        "$schema": DIALECT,
        "title": f"A request for predictions of {title}",
        "description": str(schema.get("format", "")),
        "type": "object",
        "properties": {"rows": {"type": "array", "minItems": 1, "maxItems": rows, "items": row}},
        "required": ["rows"],
    }


def described(schema: Facts) -> Sequence[Facts]:
    """Every column or array by its name, whichever of the two forms the input schema has."""
    known = schema.get("columns") or schema.get("arrays") or ()
    if isinstance(known, Mapping):
        known = [{"name": name, **facts} for name, facts in known.items()]
    return [_with_routes(facts, schema) for facts in known if "values" not in facts]


def _with_routes(facts: Facts, schema: Facts) -> Facts:
    """`route` of subjects counts in names that stand beside the arrays."""
    routes = schema.get("routes")
    return {**facts, "levels": list(routes.values())} if routes and facts["name"] == "route" else facts


def _optional(facts: Facts) -> bool:
    ends = facts.get("range")
    fixed = facts.get("shape") == [] and ends is not None and ends[0] == ends[1]
    return bool(facts.get("optional")) or "note" in facts or fixed


def _property(facts: Facts) -> dict[str, Any]:
    """The schema of one value of a row."""
    kind = _image(facts) or _organs(facts) or _levels(facts) or _plain(facts)
    if facts.get("missing"):
        kind = {"anyOf": [kind, {"type": "null"}]}
    about = {"x-unit": facts.get("unit"), "x-range": facts.get("range") or facts.get("seen")}
    return {**kind, **{name: value for name, value in about.items() if value is not None}, "description": _said(facts)}


def _said(facts: Facts) -> str:
    """Unit, range and notes in a sentence."""
    unit, ends = facts.get("unit"), None if facts.get("levels") else facts.get("range") or facts.get("seen")
    seen = f"seen in training: {ends[0]:g} to {ends[1]:g}" if ends else None
    known = [unit if unit and unit != "1" else None, seen, facts.get("note"), facts.get("also")]
    gap = "null where it is missing" if facts.get("missing") else None
    return "; ".join(part for part in [*known, gap] if part) or str(
        "" if facts.get("levels") else facts.get("dtype", "a value")
    )


def _image(facts: Facts) -> dict[str, Any] | None:
    if facts.get("dtype") != "uint8":
        return None
    _, height, width, channels = facts["shape"]
    pixel = {"type": "integer", "minimum": 0, "maximum": 255}
    line = {"type": "array", "minItems": width, "maxItems": width}
    colour = {"type": "array", "items": pixel, "minItems": channels, "maxItems": channels}
    rows = [{**line, "items": each} for each in (colour, pixel)]
    nested = [{"type": "array", "items": each, "minItems": height, "maxItems": height} for each in rows]
    file = {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"}
    return {"anyOf": [file, *nested]}


def _organs(facts: Facts) -> dict[str, Any] | None:
    ranges = facts.get("range_by_organ")
    if not ranges:
        return None
    of_each = {
        organ: {"type": "number", "x-range": ends, "description": f"seen in training: {ends[0]:g} to {ends[1]:g}"}
        for organ, ends in ranges.items()
    }
    as_list = {"type": "array", "items": {"type": "number"}, "minItems": len(ranges), "maxItems": len(ranges)}
    as_object = {"type": "object", "properties": of_each, "required": list(ranges), "additionalProperties": False}
    return {"anyOf": [as_object, as_list]}


def _levels(facts: Facts) -> dict[str, Any] | None:
    levels = facts.get("levels")
    return {"type": "string", "enum": [str(level) for level in levels]} if levels else None


def _plain(facts: Facts) -> dict[str, Any]:
    """A number, a time or a text, as the words of `dtype` say."""
    dtype = str(facts.get("dtype", ""))
    if dtype.startswith("number"):
        limit = {"exclusiveMinimum": 0} if "above 0" in dtype else {"minimum": 0} if "0 or more" in dtype else {}
        return {"type": "number", **limit}
    if dtype.startswith("time"):
        return {"type": ["string", "number"]}
    return {"type": "string", **({"format": "date"} if "date" in dtype else {})}
