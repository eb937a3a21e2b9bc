"""A project of one's own, written from the files in templates/."""

import keyword
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from unicodedata import normalize

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fulmen.config.compose import composed
from fulmen.config.mistakes import did_you_mean
from fulmen.config.places import conf_folder
from fulmen.errors import FulmenError
from fulmen.utils.files import cannot_write

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
OF_THE_PROJECT = ("conf", "outputs", "sweep", "tests", "train")  # what stands beside the package
ABOUT = "Which patient's diabetes will be worse in a year? A small network on ten measurements, to be replaced."


def new_project(place: Path, workload: str | None = None) -> list[Path]:
    """Write a project that trains at once into the new folder `place`, whose name becomes that of its package.

    Args:
        workload: the shipped one that it starts from; None: a small data set and a network of the project's own.

    Returns:
        The files, below `place`.

    Raises:
        FulmenError: the folder exists, its name cannot be that of a package, or there is no such workload. Nothing is
            written then.
        Obstructed: the folder cannot be written.
    """
    name = place.name
    if not name:
        raise FulmenError("a project needs a name: fulmen new mylab works")
    if place.exists() or place.is_symlink():
        raise FulmenError(f"{place} exists already; choose another name, nothing was written")
    if problem := wrong_name(name):
        raise FulmenError(problem)
    kind = "shipped" if workload else "own"
    values = {"name": name, "Name": camel_case(name), "version": version("fulmen"), "about": ABOUT}
    values |= _of_workload(workload) if workload else {}
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    files = {path: jinja.get_template(template).render(values) for path, template in _templates(kind, name)}
    _write(files, place)
    return sorted(files)


def wrong_name(name: str) -> str:
    """Why `name` cannot be that of a project and its package, with one that can; "" if it can."""
    problem = _problem(name)
    if not problem:
        return ""
    letters = normalize("NFKD", name).encode("ascii", "ignore").decode() if name.isidentifier() else name  # e of é
    offered = re.sub(r"\W+", "_", letters, flags=re.ASCII).strip("_")
    names = [offered, f"my_{offered}", "mylab"] if offered else ["mylab"]
    return f"{problem}; fulmen new {next((word for word in names if not _problem(word)), 'mylab')} works"


def _problem(name: str) -> str:
    if keyword.iskeyword(name):
        return f"{name} is a word of Python and names no package"
    if not (name.isidentifier() and name.isascii()) or name[0] == "_":
        return f"{name!r} names no Python package (letters, digits and _, a letter first)"
    if (conf_folder() / "experiment" / f"{name}.yaml").is_file() or name in _starts():
        return f"{name} is what fulmen calls something of its own"
    if name in OF_THE_PROJECT:
        return f"{name} is a file or folder of every project"
    if name in sys.stdlib_module_names or find_spec(name):
        return f"a package {name} would hide the module {name} that is there already"
    return ""


def camel_case(name: str) -> str:
    """`MyLab` of my_lab: how the project's classes begin."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _starts() -> dict[str, str]:
    """Workload -> the experiment that a project starts from."""
    return dict(yaml.safe_load((HERE / "starts.yaml").read_text(encoding="utf-8")))


def _of_workload(workload: str) -> dict[str, str]:
    """What the templates say of a shipped workload: its classes, its settings, its search space."""
    starts = _starts()
    if workload not in starts:
        raise FulmenError(f"there is no workload {workload}{did_you_mean(workload, starts)}")
    experiment = starts[workload]
    cfg = composed([f"experiment={experiment}"])
    values = {"workload": workload, "experiment": experiment}
    for part in ("data", "model"):
        values[f"{part}_module"], _, values[f"{part}_class"] = cfg[part]["_target_"].rpartition(".")
    shipped = (conf_folder() / "experiment" / f"{experiment}.yaml").read_text(encoding="utf-8").splitlines()
    values["about"] = f"{shipped[1].lstrip('# ')}: starts as {experiment} of fulmen."
    values["settings"] = "\n".join(shipped[2:])  # behind the package line and the description
    space = conf_folder() / "search" / "space" / workload / f"{experiment}.yaml"
    return values | {"space": space.read_text(encoding="utf-8").strip()}


def _templates(kind: str, name: str) -> Iterator[tuple[Path, str]]:
    """(path in the project, name of the template) of every file."""
    for folder in ("every", kind):
        for path in (TEMPLATES / folder).rglob("*.jinja"):
            below = path.relative_to(TEMPLATES / folder).as_posix().removesuffix(".jinja")
            below = ".gitignore" if below == "gitignore" else below.replace("NAME", name)
            yield Path(below), path.relative_to(TEMPLATES).as_posix()


def _write(files: dict[Path, str], place: Path) -> None:
    """All files or none: in a neighbouring folder, which takes the name of `place` once they are there."""
    draft = None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}."))
        for path, text in files.items():
            (draft / path).parent.mkdir(parents=True, exist_ok=True)
            (draft / path).write_text(text, encoding="utf-8")
        draft.chmod(0o755)
        draft.rename(place)
    except OSError as error:
        if draft:
            shutil.rmtree(draft, ignore_errors=True)
        raise cannot_write(place, error) from error
