"""What was typed for a run in few words, first what tells it from others; nothing heavy is imported."""

from collections.abc import Iterable, Sequence

from fulmen.config.mistakes import key_of

MAIN = (
    "model.network", "model.optimizer", "model.optimizer.lr", "model.optimizer.weight_decay", "data.batch_size",
    "data.fold", "trainer.max_epochs", "seed",
)  # fmt: skip
NO_SETTINGS = (  # keys, and what begins with them: where it runs and what is shown, not what is trained
    "experiment", "output_dir", "resume", "hydra", "threads", "callbacks", "logger", "trainer.accelerator",
    "model.figures", "findings", "leaks",
)  # fmt: skip
LAST = ("trainer.", "data.", "test", "callbacks", "logger")  # what a name ends with: how long, how much, what is shown


def typed_settings(overrides: Iterable[str], without: Iterable[str] = NO_SETTINGS) -> dict[str, str]:
    """Key -> value of what was typed about the training itself; of a key that was typed twice the last counts.

    Args:
        without: keys, and what begins with them, that are left out.
    """
    typed: dict[str, str] = {}
    for override in overrides:
        key = key_of(override)
        if override.strip() and not any(key == name or key.startswith(f"{name}.") for name in without):
            typed.pop(key, None)
            typed[key] = "null" if override.startswith("~") else override.partition("=")[2].strip()
    return typed


def in_words(typed: dict[str, str]) -> str:
    """`lr=0.01 max_epochs=5`: each key by its last part, or by more of it where two would be called the same."""
    return " ".join(f"{name}={value}" for name, value in zip(short_names(typed), typed.values(), strict=True))


def short_names(keys: Iterable[str]) -> list[str]:
    """The shortest endings of dotted keys that tell them apart."""
    parts = [key.split(".") for key in keys]
    deepest = max(map(len, parts), default=0)
    for length in range(1, deepest + 1):
        names = [".".join(part[-length:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return [".".join(part) for part in parts]


def telling_first(typed: dict[str, str], others: Sequence[dict[str, str]]) -> dict[str, str]:
    """`typed` in another order: first what tells it from those of the others that differ in the fewest keys."""
    apart = [{key for key, value in typed.items() if other.get(key) != value} for other in others]
    least = min(filter(None, map(len, apart)), default=0)
    telling = {key for keys in apart if len(keys) == least for key in keys}

    def place(key: str) -> tuple[bool, int]:
        last = next((number for number, prefix in enumerate(LAST, 1) if key.startswith(prefix)), 0)
        return key not in telling, 0 if key in MAIN and key.startswith("data.") else last

    return {key: typed[key] for key in sorted(typed, key=place)}
