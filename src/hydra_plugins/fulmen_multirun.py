"""Hydra's plugin interface takes plugins from this namespace alone: the sweeper behind `python train.py -m`."""

import logging
from collections.abc import Sequence
from pathlib import Path

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, configure_log, filter_overrides, run_job, setup_globals
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from fulmen.config.multirun import expanded, take_checked

log = logging.getLogger(__name__)


class CheckedRuns(Sweeper):
    """Goes through the runs one after the other in this process, each with the config that was checked before.

    Hydra's own sweeper composes every config twice more. A launcher that somebody has chosen gets the runs to start.
    """

    hydra_context: HydraContext  # known once Hydra has called `setup`
    config: DictConfig

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def sweep(self, arguments: list[str]) -> list[Sequence[JobReturn]]:
        runs = expanded(arguments, self.hydra_context.config_loader)
        setup_globals()
        if self.config.hydra.runtime.choices["hydra/launcher"] != "basic":
            launcher = Plugins.instance().instantiate_launcher(
                hydra_context=self.hydra_context, task_function=self.task_function, config=self.config
            )
            ended = launcher.launch(runs, initial_job_idx=0)
        else:
            Path(self.config.hydra.sweep.dir).mkdir(parents=True, exist_ok=True)
            self._count = len(runs)
            ended = [self._run(number, overrides) for number, overrides in enumerate(runs)]
        for run in ended:
            _ = run.return_value  # raises what a run has raised, once all are over
        return [ended]

    def _run(self, number: int, overrides: list[str]) -> JobReturn:
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        log.info(f"\t#{number} : {' '.join(filter_overrides(overrides))}")
        config = take_checked(overrides, self.config)
        if config is None:
            config = self.hydra_context.config_loader.load_sweep_config(self.config, overrides)
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
            config.hydra.sweeper.runs = self._count  # for callbacks
        return run_job(
            hydra_context=self.hydra_context,
            task_function=self.task_function,
            config=config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )
