"""conf/ is found in the checkout or in the package; without either one line says so."""

import os
import subprocess
import sys

import pytest

from fulmen.config import places
from fulmen.data.cache import cache_folder
from fulmen.errors import FulmenError


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The folder of a package that lies in no checkout."""
    folder = tmp_path / "site-packages" / "fulmen"
    folder.mkdir(parents=True)
    monkeypatch.setattr(places, "PACKAGE", folder)
    for found in (places.checkout, places.conf_folder):
        found.cache_clear()
    yield folder
    for found in (places.checkout, places.conf_folder):
        found.cache_clear()


def test_a_checkout_has_its_conf_beside_its_source():
    assert places.conf_folder() == places.project_root() / "conf"
    assert places.checkout() == places.project_root()


def test_a_package_without_conf_says_so_in_a_line(package):
    with pytest.raises(FulmenError, match=r"^\S+/fulmen/conf holds no train.yaml; get conf/ back, or install fulmen"):
        places.conf_folder()


def test_a_checkout_without_conf_says_so_in_a_line(package):
    root = package.parents[1]
    (root / "train.py").touch()
    (root / "pyproject.toml").touch()
    with pytest.raises(FulmenError, match=rf"^{root}/conf holds no train.yaml; get conf/ back"):
        places.conf_folder()


def test_a_package_by_itself_keeps_prepared_data_in_the_cache_of_its_user(package, monkeypatch, tmp_path):
    monkeypatch.delenv("FULMEN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "fulmen"
    monkeypatch.setenv("FULMEN_CACHE", "elsewhere")
    assert cache_folder().name == "elsewhere"


def test_what_we_start_is_this_package_whatever_lies_in_the_working_directory(tmp_path):
    for name in ("fulmen", "yaml"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('this is not the one')")
    environment = os.environ | places.search_path_handed_on() | {"PYTHONPATH": str(places.PACKAGE.parent)}
    for program in (places.train_program(), [sys.executable, "-m", "fulmen", "train"]):
        if program[1] == "-m":
            (tmp_path / "fulmen" / "__init__.py").unlink()  # Python itself takes that one first
        done = subprocess.run([*program, "--help"], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.stdout.startswith("usage: "), done.stderr


def test_a_process_of_ours_finds_what_its_starter_found_but_nothing_of_it_hides_anything(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setenv(places.HANDED_ON, places.search_path_handed_on()[places.HANDED_ON])
    monkeypatch.setattr(sys, "path", sys.path[1:])
    places.use_own_project()
    assert sys.path[-1] == str(tmp_path)
    assert sys.path.count(str(tmp_path)) == 1
