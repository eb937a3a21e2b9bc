"""Train one experiment: `python train.py experiment=pbpk_gnn`; `--help` lists what there is to choose and change."""

import sys

from fulmen.signals import answering


def main() -> None:
    import hydra  # all that takes time is imported where a signal is answered

    from fulmen.config.check import finalize
    from fulmen.config.overrides import typed_overrides
    from fulmen.entrypoints import before_work, messages

    @hydra.main(version_base="1.3", config_path="conf", config_name="train")
    @messages()
    def train(cfg) -> None:
        from fulmen.runs.run import run  # imports torch: only once the config is known to be good

        run(finalize(cfg), typed_overrides())

    with messages():
        train(before_work(sys.argv))


if __name__ == "__main__":
    with answering("interrupted before anything was begun; start it again"):
        main()
