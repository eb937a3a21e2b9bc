"""The command line of `fulmen serve`; what needs the extra is imported once it is called."""

import argparse
import os
from pathlib import Path
from typing import Any

from fulmen.errors import FulmenError
from fulmen.serve.keys import ROLES, Keys


def add_verb(parsers: "argparse._SubParsersAction[Any]") -> None:
    """Add `serve` to the command line."""
    about = "train, watch, rank, keep and predict over HTTP"
    serve: argparse.ArgumentParser = parsers.add_parser("serve", help=f"{about}; needs: pip install 'fulmen[serve]'")
    outputs = argparse.ArgumentParser(add_help=False)
    for each in (outputs, serve):
        each.add_argument("--outputs", type=Path, metavar="FOLDER", help="folder of all results (default: outputs)")
    _of_server(serve)
    serve.set_defaults(call=start)
    below = serve.add_subparsers(dest="serve_verb", metavar="")
    keys = below.add_parser("keys", help="API keys: new, list, revoke").add_subparsers(dest="keys_verb", required=True)
    new = keys.add_parser("new", help="make a key; it is printed once", parents=[outputs])
    new.add_argument("name", metavar="NAME", help="whose key it is")
    about = "read: look at everything; predict: read and predict; train: all (default: predict)"
    new.add_argument("--role", choices=ROLES, default="predict", help=about)
    new.set_defaults(call=new_key)
    keys.add_parser("list", help="list the keys", parents=[outputs]).set_defaults(call=list_keys)
    revoke = keys.add_parser("revoke", help="let a key be of no use from now on", parents=[outputs])
    revoke.add_argument("name", metavar="NAME", help="whose key it is")
    revoke.set_defaults(call=revoke_key)


def _of_server(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--port", type=int, default=5000, help="0 takes any that is free (default: 5000)")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen at; any but the loopback needs a key")
    serve.add_argument("--name", action="append", metavar="HOST", help="a name that browsers call this machine by")
    serve.add_argument("--slots", type=int, default=1, metavar="N",
                       help="jobs that run at once, on each GPU where there are any (default: 1)")  # fmt: skip
    serve.add_argument("--registry", type=Path, metavar="FOLDER",
                       help="folder of kept models (default: $FULMEN_REGISTRY, or outputs/models)")  # fmt: skip
    serve.add_argument("--data", type=Path, action="extend", nargs="+", metavar="FOLDER",
                       help="folders whose files may be trained on")  # fmt: skip
    serve.add_argument("--allow", action="append", metavar="KEY",
                       help="a key that may open an address or a database, such as data.download")  # fmt: skip
    serve.add_argument("--stocks-csv", type=Path, metavar="FILE",
                       help="prices that /api/train-advanced trains on (default: a simulated market)")  # fmt: skip
    serve.add_argument("--stocks-epochs", type=int, metavar="N", help="epochs of /api/train-advanced, at most")
    serve.add_argument("--alert", metavar="COMMAND|ADDRESS",
                       help="is given, as JSON, the alerts that people send from a prediction")  # fmt: skip
    serve.add_argument("--keys", action="store_true", help="ask for an API key on the loopback address too")


def start(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    try:
        from fulmen.serve import server, settings
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("fulmen"):
            raise
        raise FulmenError(f"fulmen serve needs {error.name}: pip install 'fulmen[serve]'") from error
    a = arguments
    outputs = a.outputs or Path("outputs")
    registry = a.registry or Path(os.environ.get("FULMEN_REGISTRY") or outputs / "models")
    return server.serve(settings.Settings(
        outputs=outputs, registry=registry, host=a.host, port=a.port, slots=a.slots, data=tuple(a.data or ()),
        stocks_csv=a.stocks_csv, stocks_epochs=a.stocks_epochs, keys=a.keys, names=tuple(a.name or ()),
        alert=a.alert, allow=tuple(a.allow or ()),
    ))  # fmt: skip


def new_key(arguments: argparse.Namespace) -> int:
    """`fulmen serve keys new NAME`."""
    key = _keys(arguments).new(arguments.name, arguments.role)
    print(f"{key}\nwrite it down: it is kept as a hash and never shown again; it may {arguments.role}")
    return 0


def list_keys(arguments: argparse.Namespace) -> int:
    """`fulmen serve keys list`."""
    found = _keys(arguments).all()
    for key in found:
        print(f"{key.name:24} {key.role:8} {key.created}")
    if not found:
        print("no keys yet; make one: fulmen serve keys new NAME --role train")
    return 0


def revoke_key(arguments: argparse.Namespace) -> int:
    """`fulmen serve keys revoke NAME`."""
    _keys(arguments).revoke(arguments.name)
    print(f"the key {arguments.name} is of no use any more")
    return 0


def _keys(arguments: argparse.Namespace) -> Keys:
    return Keys((arguments.outputs or Path("outputs")) / ".fulmen" / "keys.json")
