"""A name for what shall be kept, and a run kept by it: in a process beside the server, which loads the run's data."""

import subprocess
import threading
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from fulmen.config.places import python
from fulmen.errors import FulmenError
from fulmen.registry.catalogue import Catalogue
from fulmen.registry.names import check_name
from fulmen.registry.versions import Version
from fulmen.runs.labels import LONGEST
from fulmen.serve.problems import Fault, Problem, without_places, wrong
from fulmen.serve.settings import Settings

PATIENCE = 600  # seconds
_one_at_a_time = threading.Lock()


class Kept(BaseModel):
    """How the model shall be called.

    `as_version`: where the name is in use, the next version of it; otherwise that is refused.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=200)]
    note: Annotated[str, Field(max_length=LONGEST)] = ""
    as_version: bool = False


class Named(BaseModel):
    """A version by name and number."""

    model: str


def refuse_name(wanted: Kept, registry: Catalogue) -> None:
    """Pass if a model may be kept by this name.

    Raises:
        Problem: 422, it is no name; 409, it is in use, and no version of it is wanted.
    """
    try:
        check_name(wanted.name)
    except FulmenError as error:
        raise wrong("name", str(error)) from None
    taken = next((each for each in registry.names() if each.lower() == wanted.name.lower()), None)
    if taken and not (wanted.as_version and taken == wanted.name):
        cure = "another name, or keep it as the next version of this one"
        fault = Fault(key="name", problem="is in use", cure=cure)
        raise Problem(409, f"the name {taken} is in use; choose {cure}", [fault])


def keep_run(folder: Path, wanted: Kept, settings: Settings) -> Version:
    """Keep the best model of a run, as `fulmen models save` does.

    Raises:
        Problem: 409, the name is in use; 422, it is no name, or the run cannot be kept; 503, it takes too long.
    """
    if not any(folder.glob("checkpoints/*.ckpt")):
        raise wrong("run", "it has saved no weights that could be kept", "a run that has ended an epoch")
    with _one_at_a_time:
        registry = Catalogue(settings.registry)
        refuse_name(wanted, registry)
        exist = "version" if wanted.as_version else "error"
        words = [f"--name={wanted.name}", f"--note={wanted.note}", f"--exist={exist}", f"--registry={registry.root}"]
        command = python("-m", "fulmen", "models", "save", str(folder.resolve()), *words)
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            raise Problem(503, f"keeping it takes more than {PATIENCE} s; fulmen models save does it too") from None
    if done.returncode:
        said = [line.removeprefix("error: ") for line in done.stderr.splitlines() if line.startswith("error: ")]
        raise wrong("run", without_places(said[-1] if said else "it cannot be kept", folder, settings.outputs))
    return registry.find(wanted.name)
