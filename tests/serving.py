"""A real server as a process of its own, on a free port."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

PATIENCE = 60  # seconds


@dataclass
class Served:
    """A server as a process of its own.

    Attributes:
        url: where it listens.
        client: asks it.
        home: its working directory, which holds outputs/.
    """

    url: str
    client: httpx.Client
    process: subprocess.Popen
    home: Path

    def stop(self, number: int = signal.SIGTERM) -> str:
        """Ends it; what it has printed since its address."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=PATIENCE)[0]


def started(home: Path, *options: str, **environment: str) -> Served:
    """`fulmen serve --port 0 OPTIONS`, once it has printed its address."""
    command = [sys.executable, "-m", "fulmen", "serve", "--port", "0", *options]
    own = os.environ | {"FULMEN_REGISTRY": str(home / "outputs/models")} | environment
    with open(home / "server.log", "ab") as log:  # a pipe that nobody reads would hold the server up
        process = subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, stderr=log, text=True, env=own)
    for line in process.stdout:
        if found := re.search(r"http://\S+", line):
            return Served(found[0], httpx.Client(base_url=found[0], timeout=PATIENCE), process, home)
    raise AssertionError(f"no server: exit code {process.wait()}: {(home / 'server.log').read_text()}")
