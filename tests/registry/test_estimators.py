"""A skops file that names anything but the types of kept estimators is refused before anything is imported."""

import io
import json
import sys
import zipfile

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge

from fulmen.errors import FulmenError
from fulmen.registry.estimators import put_back, taken_out
from fulmen.registry.manifest import Damaged
from fulmen.utils.estimators import Estimator, check, decode, encode

X = np.random.default_rng(0).normal(size=(60, 3))


class Forest(Estimator):
    def fit_to(self, splits):
        self.estimator = RandomForestClassifier(n_estimators=3, random_state=0).fit(X, X[:, 0] > 0)


def edited(content, change):
    """A skops file whose schema is changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(files["schema.json"])
    change(schema, files)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in (files | {"schema.json": json.dumps(schema).encode()}).items():
            archive.writestr(name, data)
    return made.getvalue()


def test_an_estimator_survives_a_state_dict_to_the_bit():
    forest, other = Forest(), Forest()
    forest.fit_to({})
    other.load_state_dict(forest.state_dict())
    assert np.array_equal(forest.estimator.predict_proba(X), other.estimator.predict_proba(X))
    assert Forest().state_dict()["_extra_state"].numel() == 0
    with pytest.raises(FulmenError, match="Forest was not fitted"):
        _ = Forest().fitted


@pytest.mark.parametrize(
    ("node", "says"),
    [
        ({"__module__": "os", "__class__": "system", "__loader__": "FunctionNode", "content": {}}, "os.system"),
        ({"__module__": "evil_module", "__class__": "Model", "__loader__": "ObjectNode"}, "evil_module.Model"),
        (
            {"__module__": "builtins", "__class__": "dict", "__loader__": "ObjectNode"},
            "builtins.dict read as ObjectNode",
        ),
        ({"__module__": "builtins", "__class__": "str", "__loader__": "OperatorFuncNode"}, "read as OperatorFuncNode"),
        ({"__class__": "str"}, "names the type .str"),
    ],
)
def test_another_type_is_refused_and_nothing_of_it_imported(node, says, tmp_path, monkeypatch):
    (tmp_path / "evil_module.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    content = edited(encode(Ridge().fit(X, X[:, 0])), lambda schema, _: schema["content"]["content"].update(alpha=node))
    with pytest.raises(FulmenError, match=f"bundle.*{says}.*refused"):
        decode(content, "bundle")
    assert "evil_module" not in sys.modules


def test_what_is_no_skops_file_is_refused():
    with pytest.raises(FulmenError, match="no readable skops file"):
        check(b"\x80\x04pickle", "bundle")
    whole = encode(Ridge().fit(X, X[:, 0]))
    with pytest.raises(FulmenError, match=r"holds 'model.pkl': refused"):
        check(edited(whole, lambda _, files: files.update({"model.pkl": b"1"})), "bundle")
    with pytest.raises(FulmenError, match="no skops file of a size"):
        check(_without_schema(), "bundle")


def _without_schema():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.npy", b"1")
    return made.getvalue()


def test_what_is_not_trusted_is_not_written_either():
    from sklearn.svm import SVC

    with pytest.raises(FulmenError, match=r"SVC names the type sklearn\.svm"):
        encode(SVC().fit(X, X[:, 0] > 0))


def test_an_estimator_stands_in_a_file_of_its_own():
    forest = torch.nn.ModuleDict({"network": Forest()})
    forest["network"].fit_to({})
    tensors, content = taken_out(forest.state_dict())
    assert (tensors, content[:2]) == ({}, b"PK")
    assert list(put_back(tensors, content, forest, "bundle")) == ["network._extra_state"]
    with pytest.raises(Damaged, match="stands in a file of its own"):
        put_back(forest.state_dict(), None, forest, "bundle")
    with pytest.raises(Damaged, match="no place for one"):
        put_back({}, content, torch.nn.Linear(1, 1), "bundle")
    assert taken_out(torch.nn.Linear(1, 1).state_dict())[1] is None
