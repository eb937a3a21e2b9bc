"""The process that serves: a socket, uvicorn on it, and a quiet end."""

import errno
import socket
from types import FrameType

import uvicorn

from fulmen.errors import FulmenError
from fulmen.serve.app import create_app
from fulmen.serve.services import Services
from fulmen.serve.settings import Settings


class Server(uvicorn.Server):
    """Says to requests that wait for something, such as the end of a job, when they have to end."""

    def __init__(self, config: uvicorn.Config, services: Services):
        super().__init__(config)
        self.services = services

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.services.stopping.set()
        super().handle_exit(sig, frame)


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or Ctrl-C.

    Raises:
        FulmenError: the port is taken, the address is not of this machine.
    """
    with listening_at(settings.host, settings.port) as own:
        app = create_app(settings)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=settings.limits.stop_seconds)
        host, port = own.getsockname()[:2]
        print(f"fulmen serves at {address(host, port)}", flush=True)
        Server(config, app.state.services).run([own])
    return 0


def address(host: str, port: int) -> str:
    """`http://127.0.0.1:5000`."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listening_at(host: str, port: int) -> socket.socket:
    """A socket bound to an address.

    Raises:
        FulmenError: the port is taken, or the address is not of this machine.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(place)
    except OSError as error:
        reasons = {
            errno.EADDRINUSE: f"port {port} is in use; choose another: fulmen serve --port {port + 1}",
            errno.EACCES: f"port {port} needs rights of the system; choose one from 1024: fulmen serve --port 5000",
        }
        raise FulmenError(reasons.get(error.errno or 0, f"cannot listen at {host}: {error.strerror}")) from error
    return found
