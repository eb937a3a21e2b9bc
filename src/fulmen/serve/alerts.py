"""What is told where a prediction calls for somebody: a command or an address that the server was started with."""

import json
import shlex
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from fulmen.serve.problems import Problem

SECONDS = 15  # that the command or the address may take


class Alerts:
    """Hands alerts on.

    Args:
        target: an address (http:// or https://) that is sent the alert as JSON, or a command that reads it from its
            standard input; None: there is none, and no alert can be sent.
    """

    def __init__(self, target: str | None):
        self.target = target

    def send(self, alert: Mapping[str, Any]) -> None:
        """Hand one on.

        Raises:
            Problem: 409 where no target was named; 502 where it did not take the alert.
        """
        if self.target is None:
            raise Problem(409, "this server sends no alerts", works="fulmen serve --alert COMMAND_OR_ADDRESS")
        body = json.dumps(alert).encode()
        if problem := (_post if self.target.startswith(("http://", "https://")) else _run)(self.target, body):
            raise Problem(502, f"the alert was not taken: {problem}")


def _post(address: str, body: bytes) -> str | None:
    """Why an address did not take the alert."""
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):
            return None
    except urllib.error.HTTPError as error:
        return f"the address answered {error.code}"
    except (OSError, ValueError):
        return "the address does not answer"


def _run(command: str, body: bytes) -> str | None:
    """Why a command did not take the alert."""
    try:
        done = subprocess.run(shlex.split(command), input=body, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"the command took more than {SECONDS} s"
    except OSError as error:
        return f"the command cannot be started: {error.strerror}"
    return f"the command ended with {done.returncode}" if done.returncode else None
