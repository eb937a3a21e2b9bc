"""Labels are kept beside the results that they are of."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from fulmen.errors import FulmenError
from fulmen.runs.labels import Labels, label, read_labels


def test_what_is_not_said_stays(tmp_path):
    label(tmp_path, add=["a", "b"], note="first")
    label(tmp_path, archived=True, remove=["a"])
    assert read_labels(tmp_path) == Labels(True, ("b",), "first")
    label(tmp_path, tags=["c", "c"], note="", archived=False)
    assert read_labels(tmp_path) == Labels(False, ("c",), "")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"tags": 5}', '{"tags": [1], "note": null}', "[" * 50_000])
def test_what_cannot_be_understood_says_nothing(tmp_path, content):
    (tmp_path / "labels.json").write_text(content)
    assert read_labels(tmp_path) == Labels()


@pytest.mark.parametrize("tag", ["", " ", "two words", "-x", "a/b", "x" * 51, "a\nb"])
def test_a_tag_is_one_word(tmp_path, tag):
    with pytest.raises(FulmenError, match="tag"):
        label(tmp_path, add=[tag])
    assert not (tmp_path / "labels.json").exists()


def test_a_note_has_an_end_and_a_folder_must_be_there(tmp_path):
    with pytest.raises(FulmenError, match="10,000 at most"):
        label(tmp_path, note="x" * 10_001)
    with pytest.raises(FulmenError, match="there is no folder"):
        label(tmp_path / "absent", note="x")


def test_no_label_is_lost_where_several_write(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: label(tmp_path, add=[f"t{number}"]), range(20)))
    assert set(json.loads((tmp_path / "labels.json").read_text())["tags"]) == {f"t{number}" for number in range(20)}
