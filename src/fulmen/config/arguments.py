"""Command lines whose options and other words may stand in any order."""

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from fulmen.errors import FulmenError


class AnyOrder(argparse.ArgumentParser):
    """A parser that takes words behind an option too: `rank sensors --folds 2 trainer.max_epochs=3`.

    argparse by itself would take those for strangers once it has met an option. Parsers of verbs are of the same class.
    """

    _mixing = False

    def error(self, message: str) -> NoReturn:
        """One line instead of the usage of a command.

        Raises:
            FulmenError: always.
        """
        raise FulmenError(f"{self.prog}: {message}; `{self.prog} --help` says more")

    def parse_known_args(  # type: ignore[override]  # argparse declares it once for every kind of namespace
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        if self._mixing or self._subparsers is not None:  # a verb ends the options of the parser above it
            return super().parse_known_args(args, namespace)
        self._mixing = True  # argparse comes here again, once for the options and once for the words
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixing = False
