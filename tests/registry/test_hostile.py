"""A bundle from a stranger is data: what would run code, or eat memory, is refused, and nothing of it is run."""

import io
import json
import os
import pickle
import struct
import sys

import pytest
import torch
import yaml

from fulmen.errors import FulmenError
from fulmen.registry import load_model, verify
from fulmen.registry.manifest import MANIFEST, seal
from fulmen.registry.verification import CONFIG, PREPROCESS, PROBE, WEIGHTS

from .toys import NODE, content


class Bomb:
    """Pickled, it makes a file when it is loaded."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def zipped(bomb) -> bytes:
    file = io.BytesIO()
    torch.save({"x": bomb}, file)
    return file.getvalue()


def config(node) -> dict[str, bytes]:
    return {CONFIG: yaml.safe_dump({"model": node}).encode()}


def with_network(**network):
    return config({**NODE, "network": {**NODE["network"], **network}})


def aliases(path):
    lines = ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]" for i in range(1, 60)), "model: *a59"]
    return {CONFIG: "\n".join(lines).encode()}


def called(target, **arguments):
    return lambda path: config({"_target_": target, **{k: v.format(path=path) for k, v in arguments.items()}})


FILES = {
    "a pickle as weights": lambda path: {WEIGHTS: pickle.dumps(Bomb(path))},
    "a torch archive as weights": lambda path: {WEIGHTS: zipped(Bomb(path))},
    "a pickle as examples": lambda path: {PROBE: pickle.dumps(Bomb(path))},
    "a header of 1 GB": lambda path: {WEIGHTS: struct.pack("<Q", 10**9) + b"{" + bytes(1000)},
    "a header beyond all bounds": lambda path: {WEIGHTS: struct.pack("<Q", 2**64 - 1) + b"{}"},
    "a header that is deep": lambda path: {WEIGHTS: struct.pack("<Q", 200_000) + b'{"a":' * 40_000},
    "os.system": called("os.system", command="mkdir {path}"),
    "eval in a network": lambda path: with_network(
        _target_="builtins.eval", _args_=[f"__import__('os').mkdir('{path}')"]
    ),
    "a class of ours that pickles": called("torch.load", f="{path}"),
    "a function of ours that writes": called(
        "fulmen.workloads.stocks.yahoo.download", ticker="X", start="2020-01-01", end="2020-01-02", folder="{path}"
    ),
    "a class of ours that writes": called("lightning.pytorch.loggers.CSVLogger", save_dir="{path}"),
    "a module by way of another": called("fulmen.workloads.stocks.prices.csv.writer", csvfile="{path}"),
    "a partial of a stranger": lambda path: config(
        {**NODE, "optimizer": {"_target_": "subprocess.run", "_partial_": True, "args": ["mkdir", str(path)]}}
    ),
    "a stranger's code by name": called("antigravity.fly_to"),
    "an interpolation": lambda path: with_network(inputs=["${oc.env:HOME}", "x"]),
    "a YAML tag": lambda path: {CONFIG: f"model: !!python/object/apply:os.mkdir ['{path}']".encode()},
    "a YAML bomb": aliases,
    "deep YAML": lambda path: {CONFIG: b"model: " + b"[" * 100_000},
    "deep block YAML": lambda path: {CONFIG: b"".join(b" " * i + b"a:\n" for i in range(1300))},
    "10 MB of YAML": lambda path: {CONFIG: b"x" * (10 << 20)},
    "no YAML": lambda path: {CONFIG: b"\xff\xfe\x00"},
    "deep JSON": lambda path: {PREPROCESS: b"[" * 1_000_000},
    "a huge number": lambda path: {PREPROCESS: b"1" * 100_000},
}


@pytest.mark.parametrize("payload", FILES)
def test_hostile_files_are_refused_and_run_nothing(store, payload, tmp_path):
    mark = tmp_path / "it ran"
    loaded = set(sys.modules)
    version = store.publish("evil", content() | FILES[payload](mark), {"workload": "stocks"})
    if payload not in ("a pickle as examples", "deep JSON", "a huge number"):
        with pytest.raises(FulmenError):
            load_model("evil")
    rows = verify("evil")
    assert [row["model"] for row in rows] == ["evil:1"]
    assert rows[0]["state"]
    assert not mark.exists()
    assert not {"antigravity"} & (set(sys.modules) - loaded)
    assert str(version) == "evil:1"


def sealed(manifest, **changes) -> bytes:
    return seal({key: value for key, value in (manifest | changes).items() if key not in ("sha256", "schema")})


MANIFESTS = {
    "a file outside": lambda m: sealed(m, files=m["files"] | {"../../../secret": {"bytes": 1, "sha256": "0"}}),
    "an absolute file": lambda m: sealed(m, files=m["files"] | {"/etc/passwd": {"bytes": 1, "sha256": "0"}}),
    "files that are none": lambda m: sealed(m, files=dict.fromkeys(m["files"])),
    "a size that is none": lambda m: sealed(m, files={name: {"bytes": "1e99"} for name in m["files"]}),
    "no files": lambda m: sealed(m, files={}),
    "another name": lambda m: sealed(m, name="../evil"),
    "a list": lambda m: b"[]",
    "deep": lambda m: b'{\n  "sha256": "' + b"0" * 64 + b'",\n' + b'"a":[' * 100_000,
    "weights that share what is not there": lambda m: sealed(m, shared_weights={"network.head.bias": "elsewhere"}),
    "shared weights that are none": lambda m: sealed(m, shared_weights=[1, 2]),
    "a pickle": lambda m: pickle.dumps(m),
}


@pytest.mark.parametrize("payload", MANIFESTS)
def test_hostile_manifests_are_refused(saved, payload):
    path = saved.root / "pump" / "1" / MANIFEST
    path.write_bytes(MANIFESTS[payload](json.loads(path.read_text())))
    with pytest.raises(FulmenError):
        load_model("pump")
    assert [row for row in verify("pump") if not row["state"]] == []


@pytest.mark.parametrize("name", ["model.pkl", "last.ckpt", "code.py", ".hidden", "weights.safetensors.pt"])
def test_files_that_were_not_saved_are_refused(saved, name, tmp_path):
    (saved.root / "pump" / "1" / name).write_bytes(pickle.dumps(Bomb(tmp_path / "it ran")))
    with pytest.raises(FulmenError, match="was not saved with the model"):
        load_model("pump")
    assert not (tmp_path / "it ran").exists()
