"""Versions never change, numbers are never given twice, aliases move by agreement."""

import subprocess
import sys

import pytest

from fulmen.errors import FulmenError
from fulmen.registry import delete, gc, list_models, promote, show
from fulmen.registry.aliases import Moved
from fulmen.registry.manifest import MANIFEST, SCHEMA, Damaged, Newer, seal
from fulmen.registry.staging import staging
from fulmen.registry.versions import NotFound

from .racers import bare, snapshot


def test_a_version_is_found_by_number_alias_and_as_the_newest(store):
    for _ in range(3):
        store.publish("pump", bare(), {"note": "x"})
    promote("pump:2", "champion")
    assert [str(v) for v in store.versions()] == ["pump:1", "pump:2", "pump:3"]
    assert store.find("pump").number == 3
    assert store.find("pump@champion").number == 2
    assert store.find("pump:1").verify() == bare()
    assert show("pump:2")["aliases"] == ["champion"]


def test_the_number_of_a_deleted_version_is_never_given_again(store):
    for _ in range(3):
        store.publish("pump", bare(), {})
    delete("pump:3")
    delete("pump:1")
    assert store.publish("pump", bare(), {}).number == 4
    assert store.numbers("pump") == [2, 4]
    assert not list((store.root / ".tmp").iterdir())


def test_a_promoted_version_is_only_deleted_by_force(saved):
    promote("pump", "champion")
    before = snapshot(saved.root)
    with pytest.raises(FulmenError, match="pump:1 is champion; promote another first, or say --force"):
        delete("pump:1")
    assert snapshot(saved.root) == before
    delete("pump:1", force=True)
    assert saved.names() == []
    assert saved.aliases("pump").aliases == {}


def test_deleting_a_model_needs_a_number(saved):
    with pytest.raises(FulmenError, match="delete which version of pump"):
        delete("pump")
    assert saved.names() == ["pump"]


def test_aliases_move_only_from_where_they_are_expected_and_remember_all(store):
    for _ in range(2):
        store.publish("pump", bare(), {})
    promote("pump:1", "champion", expected=None, note="first")
    before = snapshot(store.root)
    with pytest.raises(Moved, match="points to version 1, not to no version as expected; nothing was changed"):
        promote("pump:2", "champion", expected=None)
    with pytest.raises(Moved, match="not to version 2"):
        promote("pump:2", "champion", expected=2)
    assert snapshot(store.root) == before
    promote("pump:2", "champion", expected=1)
    moves = [(entry["before"], entry["version"]) for entry in store.aliases("pump").history]
    assert moves == [(None, 1), (1, 2)]


def test_a_damaged_version_is_not_promoted(saved):
    path = saved.root / "pump" / "1" / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Damaged, match=r"weights.safetensors is damaged: it has"):
        promote("pump", "champion")
    assert saved.aliases("pump").aliases == {}


def test_a_name_in_use_is_a_new_version_or_an_error_as_asked(store):
    store.publish("pump", bare(), {}, exist="error")
    with pytest.raises(FulmenError, match="the name pump is in use"):
        store.publish("pump", bare(), {}, exist="error")
    assert store.publish("pump", bare(), {}, exist="version").number == 2


def test_names_that_differ_by_case_alone_are_refused(saved):
    with pytest.raises(FulmenError, match="Pump differs from pump only by upper and lower case"):
        saved.publish("Pump", bare(), {})
    assert saved.names() == ["pump"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [("pumb", "did you mean pump"), ("pump:7", "there is no version 7 of pump; there is 1"),
     ("pump@champion", "pump has no alias champion; it has none yet")],
)  # fmt: skip
def test_what_is_not_there_is_said_with_what_is(saved, asked, said):
    before = snapshot(saved.root)
    for use in (saved.find, show, delete, lambda asked: promote(asked, "best")):
        with pytest.raises(NotFound, match=said):
            use(asked)
    assert snapshot(saved.root) == before


def test_an_empty_or_absent_registry_is_no_error(store):
    assert list_models() == []
    assert gc() == []
    with pytest.raises(NotFound, match="it is empty"):
        store.find("pump")
    assert not store.root.exists()


def test_a_bundle_of_a_newer_schema_is_named_and_the_others_are_listed(saved):
    version = saved.publish("pump", bare(), {})
    path = version.folder / MANIFEST
    path.write_bytes(seal({**version.manifest, "schema": SCHEMA + 1, "sha256": "0" * 64}))
    with pytest.raises(Newer, match=f"has schema {SCHEMA + 1}, this fulmen reads up to {SCHEMA}; update fulmen"):
        saved.find("pump").verify()
    states = {row["model"]: row["state"] for row in list_models()}
    assert states["pump:1"] == ""
    assert "update fulmen" in states["pump:2"]


def test_a_version_that_was_copied_to_another_name_says_so(saved):
    (saved.root / "other").mkdir()
    (saved.root / "pump" / "1").rename(saved.root / "other" / "1")
    with pytest.raises(Damaged, match="is of pump:1, not of other:1"):
        saved.find("other").verify()


def test_gc_takes_leftovers_and_leaves_what_is_being_written(store):
    with staging(store.root / ".tmp") as live:
        dead = live.with_name(live.name[:-4] + "dead")
        dead.mkdir()
        (dead / "weights.safetensors").write_bytes(b"half")
        foreign = live.with_name("elsewhere-0123")
        foreign.mkdir()
        assert gc() == [dead]
        assert live.is_dir()
        assert foreign.is_dir()
    assert not live.exists()


def test_listing_and_promoting_import_no_torch(saved):
    code = """
import sys
from fulmen.cli import main
assert main(["models", "list"]) == main(["models", "show", "pump"]) == 0
assert main(["models", "promote", "pump", "1", "--as", "champion"]) == 0
assert main(["models", "delete", "pump:1", "--force"]) == 0
heavy = {"torch", "lightning", "numpy", "pandas", "hydra", "omegaconf", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)
