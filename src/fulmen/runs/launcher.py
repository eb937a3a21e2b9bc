"""How the other processes of a run are started: as ranks of this run, whatever program it is part of."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from fulmen.config.places import python
from fulmen.lightning_private import Launched, ScriptLauncher

LAUNCHER = "FULMEN_LAUNCHER"  # environment: pid of the first rank, which launched this one
FOLLOW = python("-c", "from fulmen.entrypoints import follow; follow()")


class Launcher(ScriptLauncher):
    """Starts the other ranks of this machine as ranks of one run.

    Attributes:
        task: what they run, see `follow`.
    """

    task: dict[str, Any]

    @classmethod
    def of(cls, strategy: Launched, cfg: DictConfig, overrides: Sequence[str]) -> "Launcher":
        """In the place of the launcher of `strategy`."""
        assert strategy.cluster_environment is not None, "every strategy with a launcher has one"
        own = cls(strategy.cluster_environment, strategy.num_processes, strategy.num_nodes)
        own.task = {"cfg": OmegaConf.to_yaml(cfg), "overrides": list(overrides), "path": sys.path}
        own.take_over(strategy)
        return own

    def start_ranks(self) -> None:
        where = self.cluster_environment
        os.environ |= {
            "MASTER_ADDR": where.main_address,
            "MASTER_PORT": str(where.main_port),
            "NODE_RANK": str(where.node_rank()),
            "LOCAL_RANK": str(where.local_rank()),
            "WORLD_SIZE": str(self.num_processes * self.num_nodes),
        }
        quiet = {"TORCH_CPP_LOG_LEVEL": "ERROR"}  # no stack traces of connections that nobody answers
        for rank in range(1, self.num_processes):
            own = {"LOCAL_RANK": str(rank), LAUNCHER: str(os.getpid())}
            with tempfile.TemporaryFile("w+") as task:  # no pipe: it is whole before there is somebody to read it
                json.dump(self.task, task)
                task.seek(0)
                self.procs.append(subprocess.Popen(FOLLOW, env=quiet | os.environ | own, stdin=task))
