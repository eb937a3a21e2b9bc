"""What a study optimises, by its plan alone: base config, parameters, objectives, how many trials there are to be."""

from typing import Any, cast

from omegaconf import OmegaConf

from fulmen.config.check import check_overrides
from fulmen.config.mistakes import key_of
from fulmen.config.schema import is_group, leaves
from fulmen.config.words import renamed
from fulmen.search.architectures import joint_space
from fulmen.search.fingerprint import Fingerprint, fingerprint
from fulmen.search.notation import read_space
from fulmen.search.parameters import Point
from fulmen.search.settings import Plan, PrunerSettings
from fulmen.search.space import all_points, as_overrides, grid, settle


class Design:
    """The plan of a study, worked out; nothing of it changes while the study goes on.

    Attributes:
        config: the one that all trainings share, where groups are searched with the first choice of each.
        base: `config` flat, and what was chosen of each config group.
        parameters: the search space, each after those its `when` asks for.
        objectives: metric -> min or max.
        points: of a grid, else [].
        few: every point of a space that has hardly more of them than there are to be trials, else [].
        total: how many trials there are to be; no more than there are points.

    Raises:
        FulmenError: the space is empty, or contradicts itself or the base config.
    """

    def __init__(self, plan: Plan):
        search = plan.search
        written = read_space(joint_space(search.space, search.joint, plan.overrides))
        first = {p.path: p.extremes()[0] for p in written if is_group(p.path)}
        checked = check_overrides([*plan.overrides, *as_overrides(first), "output_dir=folder"])
        self.config = cast(dict[str, Any], OmegaConf.to_container(checked))
        typed = [*plan.overrides, *map(renamed, plan.overrides)]
        chosen = {key_of(o): o.partition("=")[2] for o in typed if is_group(key_of(o))}
        self.base: dict[str, Any] = dict(leaves(self.config)) | chosen
        self.parameters = settle(written, self.base)
        self.objectives = dict(search.objectives or {self.base["monitor"]: self.base["mode"]})
        self.points: list[Point] = grid(self.parameters) if search.sampler == "grid" else []
        self.asked = len(self.points) if search.trials == "all" else int(search.trials)
        self.few: list[Point] = self.points or all_points(self.parameters, 2 * self.asked) or []
        self.total = min(self.asked, len(self.few)) if self.few else self.asked
        self._plan = plan

    @property
    def modes(self) -> list[str]:
        """Whether less ("min") or more of each objective is better."""
        return list(self.objectives.values())

    def has_entry(self, path: str) -> bool:
        """Whether the base config has a node at `path`, to switch off."""
        return any(key.startswith(f"{path}.") for key in self.base)

    def pruning(self) -> PrunerSettings:
        """How trials are pruned; every process that reports to the study needs to know."""
        search, kind = self._plan.search, self._plan.search.pruner
        varied = any(parameter.path == "trainer.max_epochs" for parameter in self.parameters)
        max_epochs = None if varied else self.base.get("trainer.max_epochs")
        short = max_epochs is not None and 0 <= max_epochs < 3 * search.grace_epochs  # there is nothing to save
        if kind == "auto":
            kind = "hyperband" if len(self.objectives) == 1 and not short else "none"
        return {"kind": kind, "grace_epochs": search.grace_epochs, "max_epochs": max_epochs}

    def fingerprint(self) -> Fingerprint:
        """What two commands must agree on to work on one study."""
        return fingerprint(self.base, self.parameters, self.objectives, self._plan.overrides)
