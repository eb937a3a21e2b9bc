"""The process that serves: a socket, uvicorn on it, and a quiet end."""

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from types import FrameType

import uvicorn

from fulmen.errors import FulmenError
from fulmen.runs.ownership import owned
from fulmen.serve.app import create_app
from fulmen.serve.guard import listen_to_logs
from fulmen.serve.keys import Keys
from fulmen.serve.protocol import timed
from fulmen.serve.services import Services
from fulmen.serve.settings import LOOPBACK, Settings


class Server(uvicorn.Server):
    """Says to requests that wait for something, such as the end of a job, when they have to end."""

    def __init__(self, config: uvicorn.Config, services: Services):
        super().__init__(config)
        self.services = services

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.services.stopping.set()
        self.force_exit = self.should_exit  # asked twice
        self.should_exit = True


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or Ctrl-C.

    Raises:
        FulmenError: the port is taken, the address is not of this machine, a folder of data is not there, other
            machines would be let in without a key, or another server works on the same outputs.
    """
    refuse_impossible(settings)
    with ExitStack() as stack:
        own = stack.enter_context(listening_at(settings.host, settings.port))
        stack.enter_context(alone(settings))
        app = create_app(settings)
        services: Services = app.state.services
        limits = settings.limits
        config = uvicorn.Config(
            app, http=timed(limits), ws="none", log_config=None, access_log=False, server_header=False,
            proxy_headers=False, timeout_graceful_shutdown=limits.stop_seconds, timeout_keep_alive=5,
        )  # fmt: skip
        listen_to_logs()
        host, port = own.getsockname()[:2]
        named = settings.names[0] if settings.names and not ip_address(host).is_loopback else host
        print(f"fulmen serves {settings.outputs} at {address(named, port)} (API: /api/docs)", flush=True)
        Server(config, services).run([own])
        print(f"stopped; {services.left_running()}", flush=True)
    return 0


def refuse_impossible(settings: Settings) -> None:
    """Pass if a server can be started with these settings.

    Raises:
        FulmenError: it cannot, and why.
    """
    missing = [folder for folder in settings.data if not folder.is_dir()]
    if missing:
        raise FulmenError(f"--data: there is no folder {missing[0]}")
    if settings.stocks_csv and not settings.stocks_csv.is_file():
        raise FulmenError(f"--stocks-csv: there is no file {settings.stocks_csv}")
    if settings.slots < 1:
        raise FulmenError(f"--slots is {settings.slots}; it must be 1 or more")
    if settings.stocks_epochs is not None and settings.stocks_epochs < 1:
        raise FulmenError(f"--stocks-epochs is {settings.stocks_epochs}; it must be 1 or more")
    if settings.host not in LOOPBACK and not Keys(settings.state / "keys.json").all():
        raise FulmenError(
            f"--host {settings.host} can be reached by other machines and needs an API key; make one: "
            "fulmen serve keys new NAME --role train"
        )


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """The only server on its outputs, in this block.

    Raises:
        FulmenError: another one works on them.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(owned(settings.state / "server"))
        except FulmenError as error:
            raise FulmenError(f"another server may work on {settings.outputs}: {error}") from error
        yield


def address(host: str, port: int) -> str:
    """`http://127.0.0.1:5000`."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listening_at(host: str, port: int) -> socket.socket:
    """A socket bound to an address.

    Raises:
        FulmenError: the port is taken, or the address is not of this machine.
    """
    if not 0 <= port < 65536:
        raise FulmenError(f"--port is {port}; it must lie between 0 and 65535")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(place)
        found.listen(2048)
    except OSError as error:
        reasons = {
            errno.EADDRINUSE: f"port {port} is in use; choose another: fulmen serve --port {port + 1}",
            errno.EACCES: f"port {port} needs rights of the system; choose one from 1024: fulmen serve --port 5000",
        }
        raise FulmenError(reasons.get(error.errno or 0, f"cannot listen at {host}: {error.strerror}")) from error
    return found
