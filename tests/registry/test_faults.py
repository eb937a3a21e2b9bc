"""Whatever goes wrong on the way: what is listed is whole, what is not whole is named, nothing is silent."""

import os
import shutil
import stat
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from fulmen.cli import main
from fulmen.errors import FulmenError
from fulmen.registry import gc, list_models, verify
from fulmen.registry.aliases import ALIASES
from fulmen.registry.manifest import MANIFEST, Damaged, unseal
from fulmen.registry.verification import FILES

from .accidents import WORK, as_nobody, limited_to, prepared, survive
from .racers import bare, snapshot


@pytest.fixture(scope="module")
def small_process():
    """One without torch: a fork of it costs next to nothing."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.mark.slow
@pytest.mark.parametrize("work", WORK)
def test_killed_at_any_step_leaves_only_whole_versions(work, tmp_path, small_process):
    assert small_process.submit(survive, work, tmp_path).result() > 2, "the hook saw nothing"


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_every_damage_is_found_and_the_file_named(saved, name, capsys):
    saved.publish("other", bare(), {})
    folder = saved.root / "pump" / "1"
    whole = (folder / name).read_bytes()
    size = len(whole)
    flips = [bytes([*whole[:i], whole[i] ^ 1 << i % 8, *whole[i + 1 :]]) for i in range(0, size, max(1, size // 60))]
    cuts = [whole[:i] for i in (0, 1, size // 2, size - 1)]
    for damaged in (*flips, *cuts, whole + b"\n"):
        (folder / name).write_bytes(damaged)
        with pytest.raises(Damaged, match=name.replace(".", r"\.")):
            saved.find("pump").verify()
    (folder / name).unlink()
    with pytest.raises(Damaged, match=rf"{name} is missing"):
        saved.find("pump").verify()
    assert main(["models", "list"]) == 2
    said = capsys.readouterr()
    assert "other:1" in said.out
    assert "damaged" in said.out
    assert name in said.err
    (folder / name).write_bytes(whole)
    saved.find("pump").verify()


def test_every_bit_of_a_manifest_counts(saved):
    whole = (saved.root / "pump" / "1" / MANIFEST).read_bytes()
    unseal(whole, MANIFEST)
    for i in range(len(whole) * 8):
        with pytest.raises(Damaged, match=MANIFEST):
            unseal(bytes([*whole[: i // 8], whole[i // 8] ^ 1 << i % 8, *whole[i // 8 + 1 :]]), MANIFEST)


def test_damaged_aliases_are_named_and_stop_only_what_needs_them(saved):
    saved.promote(saved.find("pump"), "champion")
    path = saved.root / "pump" / ALIASES
    whole = path.read_bytes()
    for damaged in (b"", whole[:-9], whole.replace(b'"champion": 1', b'"champion": 2'), b"[]", b"{}", b"[" * 100_000):
        path.write_bytes(damaged)
        for use in (lambda: saved.find("pump@champion"), lambda: saved.promote(saved.find("pump"), "best")):
            with pytest.raises(Damaged, match=r"aliases\.json"):
                use()
        assert path.read_bytes() == damaged
        saved.find("pump:1").verify()
        assert [row for row in verify() if "aliases.json" in row["state"]]


@pytest.mark.parametrize("size", [0, 1, 500, 3000])
def test_a_full_disk_is_an_error_and_changes_nothing(saved, size):
    before = snapshot(saved.root)
    for work in (lambda: saved.publish("pump", bare(5000), {}), lambda: saved.publish("fresh", bare(5000), {})):
        code, said = limited_to(size, work)
        assert code == 1
        assert "Obstructed: cannot write" in said  # a FulmenError that says the machine was in the way
    assert snapshot(saved.root) == before
    if size == 0:
        code, said = limited_to(size, lambda: saved.promote(saved.find("pump"), "champion"))
        assert code == 1
        assert "cannot write" in said
        assert snapshot(saved.root) == before


def test_a_read_only_registry_is_read_and_refuses_changes():
    folder = Path(tempfile.mkdtemp())
    try:
        store = prepared(folder / "models")
        before = snapshot(store.root)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)

        def reads():
            store.find("pump@best").verify()
            assert len(list_models(registry=store.root)) == 2

        assert as_nobody(reads) == (0, "")
        for work in ("save", "save a first version", "promote", "delete"):
            code, said = as_nobody(lambda: WORK[work](store))  # noqa: B023  it is called at once
            assert code == 1
            assert "permission denied" in said
        assert snapshot(store.root) == before
    finally:
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)
        shutil.rmtree(folder)


def test_another_file_system_is_named(saved):
    elsewhere = Path("/dev/shm")
    if (
        not elsewhere.is_dir()
        or elsewhere.stat().st_dev == saved.root.stat().st_dev
        or not os.access(elsewhere, os.W_OK)
    ):
        pytest.skip("there is no second file system to write to")
    with tempfile.TemporaryDirectory(dir=elsewhere) as folder:
        (saved.root / ".tmp").rmdir()
        (saved.root / ".tmp").symlink_to(folder)
        for work in (lambda: saved.publish("pump", bare(), {}), lambda: saved.delete(saved.find("pump"))):
            with pytest.raises(FulmenError, match="another file system than"):
                work()
        assert list(Path(folder).iterdir()) == []
    assert saved.numbers("pump") == [1]


@pytest.mark.parametrize("what", ["name", "version", *FILES, MANIFEST])
def test_symbolic_links_are_refused(saved, tmp_path, what):
    path = {"name": saved.root / "pump", "version": saved.root / "pump" / "1"}.get(
        what, saved.root / "pump" / "1" / what
    )
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FulmenError, match=r"symbolic link|no plain file|there is no model"):
        saved.find("pump:1").verify()
    if what == "name":
        with pytest.raises(FulmenError, match=r"symbolic link|no folder of its own"):
            saved.publish("pump", bare(), {})
    assert stat.S_ISLNK(path.lstat().st_mode)


def test_a_pipe_does_not_make_anyone_wait(saved):
    path = saved.root / "pump" / "1" / "weights.safetensors"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Damaged, match="no plain file"):
        saved.find("pump").verify()


def test_gc_says_what_it_took(saved, capsys):
    (saved.root / ".tmp" / f"{os.uname().nodename}-dead").mkdir()
    (saved.root / "pump" / f".{ALIASES}.abc").write_text("half")
    assert len(gc()) == 2
    saved.find("pump").verify()
