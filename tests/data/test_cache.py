import signal
import subprocess
import sys
import types

import numpy as np
import pytest

from fulmen.data.cache import cached, fingerprint
from fulmen.errors import FulmenError


def arrays():
    return {"a": np.arange(1000.0).reshape(10, 100), "names": np.array(["x", "yy"])}


def never():
    raise AssertionError("built again")


def test_second_call_reads_what_the_first_built(tmp_path):
    cached("set", "key", arrays, tmp_path)
    again = cached("set", "key", never, tmp_path)
    assert np.array_equal(again["a"], arrays()["a"])
    assert again["names"].tolist() == ["x", "yy"]
    assert isinstance(again["a"], np.memmap)


@pytest.mark.parametrize("harm", ["flip a bit", "truncate", "remove an array", "empty the checksums"])
def test_corrupt_entry_is_rebuilt_with_a_warning(tmp_path, harm, caplog):
    cached("set", "key", arrays, tmp_path)
    file = tmp_path / "set-key" / ("checksums.json" if "checksums" in harm else "a.npy")
    if harm == "flip a bit":
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
    elif harm == "truncate":
        file.write_bytes(file.read_bytes()[:50])
    elif harm == "remove an array":
        file.unlink()
    else:
        file.write_text("")
    again = cached("set", "key", arrays, tmp_path)
    assert "corrupt" in caplog.text
    assert np.array_equal(again["a"], arrays()["a"])
    cached("set", "key", never, tmp_path)


def test_failed_build_leaves_nothing_behind(tmp_path):
    def fail():
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cached("set", "key", fail, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == []


def test_full_disk_is_a_clear_error_and_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(FulmenError, match="no space left"):
        cached("set", "key", arrays, tmp_path)
    assert not (tmp_path / "set-key").exists()


def test_fingerprint_changes_with_settings_code_and_files(tmp_path):
    code = types.ModuleType("code")
    code.__file__ = str(tmp_path / "code.py")
    (tmp_path / "code.py").write_text("x = 1")
    (tmp_path / "data.csv").write_text("1,2")

    def now(key=None):
        return fingerprint(key or {"n": 1, "m": [1, 2]}, [code], [tmp_path / "data.csv"])

    prints = [now(), now({"n": 2, "m": [1, 2]})]
    assert now({"m": [1, 2], "n": 1}) == prints[0]
    (tmp_path / "code.py").write_text("x = 2")
    prints.append(now())
    (tmp_path / "data.csv").write_text("1,3")
    prints.append(now())
    assert len(set(prints)) == 4


BUILDER = """
import os, signal, sys, numpy as np
from pathlib import Path
from fulmen.data.cache import cached
folder, role = Path(sys.argv[1]), sys.argv[2]
def build():
    with open(folder / "builds", "a") as file:
        file.write("built\\n")
    if role == "dies":
        real = np.save
        def save(file, array, **options):
            real(file, array[: len(array) // 2], **options)
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        np.save = save
    return {"a": np.arange(200_000), "b": np.ones(7)}
for _ in range(50 if role == "reads" else 1):
    arrays = cached("set", "key", build, folder / "cache")
    assert arrays["a"][-1] == 199_999 and arrays["b"].sum() == 7
"""


def processes(count, folder, role):
    started = [subprocess.Popen([sys.executable, "-c", BUILDER, str(folder), role]) for _ in range(count)]
    return [process.wait() for process in started]


@pytest.mark.slow
def test_sixteen_processes_that_ask_at_once_build_once_and_read_without_fail(tmp_path):
    assert processes(16, tmp_path, "reads") == [0] * 16
    assert (tmp_path / "builds").read_text() == "built\n"


@pytest.mark.slow
def test_a_build_that_was_killed_half_way_is_built_again(tmp_path):
    assert processes(1, tmp_path, "dies") == [-signal.SIGKILL]
    assert not (tmp_path / "cache" / "set-key").exists()
    assert processes(1, tmp_path, "builds") == [0]
    assert (tmp_path / "builds").read_text() == "built\nbuilt\n"
    cached("set", "key", never, tmp_path / "cache")
