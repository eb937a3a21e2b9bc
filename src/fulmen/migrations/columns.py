"""Columns of predictions that had another name when a model was kept."""

from fulmen.migrations.step import Plain

RENAMED = {"concentration_mg_per_L": "concentration_mg_per_l"}  # as all other names write litres


def with_columns_of_today(schema: Plain) -> Plain:
    """An input schema whose `output` names the columns that predictions have today."""
    output = schema.get("output")
    if not isinstance(output, dict) or not RENAMED.keys() & output:
        return schema
    return {**schema, "output": {RENAMED.get(name, name): unit for name, unit in output.items()}}
