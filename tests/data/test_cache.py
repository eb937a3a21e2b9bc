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


@pytest.mark.slow
def test_processes_that_ask_at_once_build_once(tmp_path):
    script = f"""
import time, numpy as np
from fulmen.data.cache import cached
def build():
    time.sleep(0.3)
    with open({str(tmp_path / "builds")!r}, "a") as file:
        file.write("built\\n")
    return {{"a": np.arange(5)}}
assert cached("set", "key", build, __import__("pathlib").Path({str(tmp_path / "cache")!r}))["a"][4] == 4
"""
    processes = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert (tmp_path / "builds").read_text() == "built\n"
