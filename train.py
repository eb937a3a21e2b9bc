"""Train one experiment: `python train.py experiment=pbpk_gnn`; `--help` lists what there is to choose and change."""

import sys

import hydra
from omegaconf import DictConfig

from fulmen.commandline import before_work, messages
from fulmen.config import finalize
from fulmen.overrides import typed_overrides


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
@messages()
def main(cfg: DictConfig) -> None:
    from fulmen.run import run  # imports torch: only once the config is known to be good

    run(finalize(cfg), typed_overrides())


if __name__ == "__main__":
    with messages():
        main(before_work(sys.argv))
