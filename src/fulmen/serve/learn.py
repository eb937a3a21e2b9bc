"""A process beside the server that imports classes and writes down what they take, so that the server need not."""

import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress

from fulmen.config import signature_index
from fulmen.config.allow_list import TargetError, locate_untrusted
from fulmen.config.places import python
from fulmen.config.signatures import parameters

PATIENCE = 120  # seconds


def learn(targets: Iterable[str]) -> None:
    """Have all that is not known of `targets` written down; what is no part of a training is never imported."""
    with suppress(subprocess.TimeoutExpired):
        command = python("-m", "fulmen.serve.learn", *sorted(targets))
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)
    signature_index.look_again()


def main(targets: list[str]) -> None:
    """Import `targets` and keep what they take."""
    known = []
    for target in targets:
        with suppress(TargetError):
            locate_untrusted(target)
            known.append(target)
    signature_index.keep(known, parameters)


if __name__ == "__main__":
    main(sys.argv[1:])
