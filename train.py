"""Train one experiment: `python train.py experiment=pbpk_gnn`; `--help` lists what there is to choose and change."""

import sys

from fulmen.signals import answering


def main() -> None:
    import hydra  # all that takes time is imported where a signal is answered

    from fulmen.commandline import before_work, messages
    from fulmen.config import finalize
    from fulmen.overrides import typed_overrides

    @hydra.main(version_base="1.3", config_path="conf", config_name="train")
    @messages()
    def train(cfg) -> None:
        from fulmen.run import run  # imports torch: only once the config is known to be good

        run(finalize(cfg), typed_overrides())

    with messages():
        train(before_work(sys.argv))


if __name__ == "__main__":
    with answering("interrupted before anything was begun; start it again"):
        main()
