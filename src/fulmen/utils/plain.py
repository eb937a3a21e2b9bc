"""Plain data: what YAML and JSON can hold."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Scalar = str | int | float | bool | None
Plain: TypeAlias = "Scalar | Sequence[Plain] | Mapping[str, Plain]"
