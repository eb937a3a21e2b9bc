"""Words of a command line that are settings: what Hydra cannot read of them, before anything is composed."""

import re
from collections.abc import Sequence

from fulmen.config.hydra_errors import translated
from fulmen.config.mistakes import Mistake
from fulmen.config.overrides import explicit
from fulmen.config.torn import SETTING, torn


def mistakes_in(words: Sequence[str]) -> list[Mistake]:
    """Settings that the shell has taken apart; if there are none, those that lack the quotes that Hydra wants."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    found = torn(words)
    for word in words if not found else ():
        if SETTING.match(word) and re.match(r"[+\w]", word):
            try:
                OverridesParser.create().parse_overrides([explicit(word)])
            except HydraException as error:
                found.append(translated(error, [word], lambda _: []))
    return found
