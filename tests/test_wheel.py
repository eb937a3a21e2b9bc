"""The wheel holds all that training takes: installed into an empty environment it is used from an empty folder."""

import zipfile

import pytest
from installed import Installed

from fulmen.config.schema import project_root

pytestmark = pytest.mark.slow
TINY = [
    "data.compounds=30", "data.validation_compounds=6", "data.test_compounds=6", "data.batch_size=6",
    "model.network.hidden=8", "model.network.layers=1", "trainer.max_epochs=1", "trainer.limit_train_batches=2",
    "trainer.accelerator=cpu", "threads=1", "model.figures=false",
]  # fmt: skip


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("installed"), wheel)


def test_every_config_and_every_part_of_the_page_is_in_the_wheel_and_nothing_but_the_package(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = [name for name in file.namelist() if ".dist-info/" not in name]
    conf = {path.relative_to(project_root()).as_posix() for path in (project_root() / "conf").rglob("*.yaml")}
    assert {name.removeprefix("fulmen/") for name in names if name.startswith("fulmen/conf/")} == conf
    pages = project_root() / "src" / "fulmen" / "serve" / "pages"
    parts = [path for path in pages.rglob("*") if path.suffix in (".html", ".js", ".css", ".svg")]
    assert {f"fulmen/serve/pages/{path.relative_to(pages).as_posix()}" for path in parts} <= set(names)
    assert len(parts) > 20
    simulator = project_root() / "src" / "fulmen" / "workloads" / "pbpk" / "simulator"
    tables = {path.name for path in simulator.iterdir() if path.is_file() and path.suffix != ".py"}
    assert tables == {"icrp89.csv", "compounds.csv", "LICENSE.compounds"}
    assert {f"fulmen/workloads/pbpk/simulator/{table}" for table in tables} <= set(names)
    assert "fulmen/py.typed" in names  # its annotations are for type checkers of others too
    assert {name.partition("/")[0] for name in names} == {
        path.name for path in (project_root() / "src").iterdir() if path.name[0] not in "._"
    }


def test_an_installed_fulmen_trains_lists_and_keeps_in_an_empty_folder(installed):
    trained = installed("train", "experiment=pbpk_mlp", *TINY)
    assert trained.returncode == 0, trained.stderr
    (folder,) = installed.work.glob("outputs/runs/pbpk_mlp/*")
    assert (folder / "report.html").is_file()
    assert (installed.home / ".cache" / "fulmen").is_dir()
    assert "completed" in installed("runs").stdout
    kept = installed("models", "save", f"pbpk_mlp/{folder.name}", "--name", "pump")
    assert kept.stdout.startswith("saved pump:1"), kept.stderr


def test_an_installed_fulmen_names_itself_in_what_it_advises(installed):
    said = installed("train", "experiment=pbpk_ml")
    assert said.returncode == 2
    assert "this works: fulmen train experiment=pbpk_mlp" in said.stderr
    assert "usage: fulmen sweep experiment=<name>" in installed("sweep", "--help").stdout


def test_a_search_of_an_installed_fulmen_starts_trainings_that_find_no_other(installed):
    found = "import fulmen.config.places as p; print(*p.train_program(), '--help', sep='\\n'); print(p.conf_folder())"
    *command, conf = installed("-c", found, program="python").stdout.splitlines()
    assert conf == str(installed.packages / "fulmen" / "conf")
    assert installed(*command[1:], program="python").stdout.startswith("usage: fulmen train experiment=<name>")
