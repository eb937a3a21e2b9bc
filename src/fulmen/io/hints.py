"""What a message tells a person to type."""

from typing import Any

from fulmen.config.mistakes import as_text, for_shell


def override(key: str, value: Any) -> str:
    """`data.decimal=comma`, with the quotes that Hydra and a shell need, so that it works as it stands."""
    return for_shell(f"{key}={as_text(value)}")


def overrides(key: str, name: str, values: list[Any]) -> str:
    """`data.decimal=comma or data.decimal=point`"""
    return " or ".join(override(f"{key}.{name}", value) for value in values)
