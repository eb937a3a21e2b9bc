"""Old run folders, kept models and configs keep loading: numbered steps lead what they hold to the names of today."""

from typing import Any

from fulmen.migrations.step_1_rooms import renamed


def migrate(stored: Any) -> Any:
    """A stored config, led through every step; one of today comes back equal."""
    if isinstance(stored, dict):
        return {key: renamed(item) if _is_target(key, item) else migrate(item) for key, item in stored.items()}
    return [migrate(item) for item in stored] if isinstance(stored, list) else stored


def _is_target(key: Any, value: Any) -> bool:
    return key == "_target_" and isinstance(value, str)
