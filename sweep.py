"""Search an experiment's hyperparameters: `python sweep.py experiment=pbpk_mlp search=tpe search.trials=20`.

The same command again goes on where the search stopped; `--help` lists what there is to choose and change.
"""

import sys

from fulmen.signals import answering


def main() -> None:
    from fulmen.entrypoints import before_search, messages  # where a signal is answered already

    with messages():
        asked = before_search(sys.argv[1:])
        from fulmen.search.controller import run_searches  # imports torch: only once the config is known to be good

        run_searches(asked)


if __name__ == "__main__":
    with answering("interrupted; the same command begins or goes on with the search"):
        main()
