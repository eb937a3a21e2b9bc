"""Whether less or more of a metric is better: said where the metric is defined, asked here.

A module says it of what it logs and of what its summary reports: a class attribute `directions`, metric -> "min" or
"max", with or without `val/` and `test/`. The metrics of a `fulmen.callbacks.scores.Scores` bring their own
`higher_is_better`. A loss is better low. Of any other metric nothing is known, and what is typed counts.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from fulmen.config.allow_list import TargetError, locate
from fulmen.config.mistakes import Mistake, put


def direction(metric: str, plain: Mapping[str, Any]) -> str | None:
    """Which way `metric` is better in a training with the config `plain`: "min", "max", or None if nobody says."""
    name = metric.rpartition("/")[2]
    if name == "loss":
        return "min"
    found = None
    if metric.startswith("scores/"):
        scores = (node.get("metrics") for node in (plain.get("callbacks") or {}).values() if isinstance(node, Mapping))
        node = next((own[name] for own in scores if isinstance(own, Mapping) and name in own), None)
        higher = getattr(_located(node), "higher_is_better", None)
        return None if higher is None else ("max" if higher else "min")
    declared = getattr(_located(plain.get("model")), "directions", None)
    if isinstance(declared, Mapping):
        found = declared.get(metric, declared.get(name))
    return found if found in ("min", "max") else None


def fill_modes(cfg: DictConfig) -> None:
    """Where `mode` was left to us, it is that of the metric watched: at the top, in callbacks, in the scheduler.

    Args:
        cfg: as composed, before interpolations are resolved; changed in place.
    """
    monitor = OmegaConf.select(cfg, "monitor")
    if not isinstance(monitor, str) or "mode" not in cfg:
        return
    if cfg.mode is None:
        cfg.mode = direction(monitor, cfg) or "min"
    callbacks = OmegaConf.select(cfg, "callbacks") or {}
    nodes = [(node, node.get("monitor")) for node in callbacks.values() if isinstance(node, DictConfig)]
    if isinstance(scheduler := OmegaConf.select(cfg, "model.scheduler"), DictConfig):
        nodes.append((scheduler, OmegaConf.select(cfg, "callbacks.best.monitor") or "val/loss"))
    for node, watched in nodes:
        ours = "mode" in node and OmegaConf.is_interpolation(node, "mode")
        if ours and isinstance(watched, str) and watched != monitor and (better := direction(watched, cfg)):
            node.mode = better


def contradicted(plain: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every `mode` that keeps the worst of a metric whose direction is known."""
    callbacks = {f"callbacks.{name}": node for name, node in (plain.get("callbacks") or {}).items()}
    for path, node in {"": plain, **callbacks}.items():
        if not isinstance(node, Mapping) or not isinstance(metric := node.get("monitor"), str):
            continue
        mode, better = node.get("mode", "min"), direction(metric, plain)
        if better and mode in ("min", "max") and mode != better:
            where = f"{path}.mode" if path else "mode"
            how = {"min": "low", "max": "high"}[better]
            yield Mistake(where, f"{metric} is better {how}; {mode} would keep the worst epoch", put(where, better))


def _located(node: Any) -> Any:
    """The class that a node names, None if there is none."""
    target = node.get("_target_") if isinstance(node, Mapping) else None
    try:
        return locate(target) if isinstance(target, str) else None
    except TargetError:
        return None
