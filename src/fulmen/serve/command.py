"""The command line of `fulmen serve`; what needs the extra is imported once it is called."""

import argparse
from pathlib import Path
from typing import Any

from fulmen.errors import FulmenError


def add_verb(parsers: "argparse._SubParsersAction[Any]") -> None:
    """Add `serve` to the command line."""
    about = "train, watch, rank, keep and predict over HTTP"
    serve: argparse.ArgumentParser = parsers.add_parser("serve", help=f"{about}; needs: pip install 'fulmen[serve]'")
    serve.add_argument("--port", type=int, default=5000, help="0 takes any that is free (default: 5000)")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen at; any but the loopback needs a key")
    serve.add_argument("--slots", type=int, metavar="N", help="jobs that run at once (default: one per GPU, or one)")
    serve.add_argument("--outputs", type=Path, default=Path("outputs"), help="folder of all results (default: outputs)")
    serve.add_argument(
        "--registry", type=Path, help="folder of kept models (default: $FULMEN_REGISTRY, or outputs/models)"
    )
    serve.add_argument("--data", type=Path, action="append", default=[], metavar="FOLDER", nargs="+",
                       help="folders whose files may be trained on")  # fmt: skip
    serve.add_argument("--stocks-csv", type=Path, metavar="FILE", help="prices for /api/train-advanced")
    serve.add_argument("--stocks-epochs", type=int, metavar="N", help="epochs of /api/train-advanced, at most")
    serve.add_argument("--keys", action="store_true", help="ask for an API key on the loopback address too")
    serve.set_defaults(call=start)


def start(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    try:
        from fulmen.serve import server, settings
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("fulmen"):
            raise
        raise FulmenError(f"fulmen serve needs {error.name}: pip install 'fulmen[serve]'") from error
    given = {name: value for name, value in vars(arguments).items()
             if name in settings.Settings.__dataclass_fields__ and value is not None}  # fmt: skip
    given["data"] = tuple(folder for each in arguments.data for folder in each)
    return server.serve(settings.Settings(**given))
