"""conf/ is found in the checkout or in the package; without either one line says so."""

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
