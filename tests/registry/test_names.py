"""A name is a folder on every file system, and never a way out of the registry."""

import pytest

from fulmen.errors import FulmenError
from fulmen.registry.names import Reference, check_alias, check_name, parse

BAD = ["", ".", "..", "../evil", "a/b", "a\\b", "/etc", "~", ".hidden", "-x", "a..b", "a.", "a b", "a\0b", "a\n", "é",
       "x" * 101, "con", "NUL", "Com1", "lpt9.txt", "aux.pt", "a:b", "a@b", "${HOME}", "*"]  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_names_are_refused_everywhere(name, saved):
    for use in (check_name, lambda name: saved.publish(name, {}, {}), saved.versions, check_alias):
        with pytest.raises(FulmenError):
            use(name)
    assert saved.names() == ["pump"]


@pytest.mark.parametrize("name", ["pump", "A", "0", "a.b-c_d", "console", "com10", "v1.2", "x" * 100])
def test_good_names_are_taken(name):
    assert check_name(name) == name


def test_references_name_a_version_an_alias_or_the_newest():
    assert parse("pump") == Reference("pump")
    assert parse("pump:3") == parse("pump:v3") == Reference("pump", number=3)
    assert parse("pump@champion") == Reference("pump", alias="champion")
    assert str(parse("pump:3")) == "pump:3"


NO_REFERENCES = ["pump:", "pump:0", "pump:03", "pump:-1", "pump:x", "pump:1:2", "pump@", "pump@3", "@a", ":1",
                 "pump@../x", "pump:9999999999"]  # fmt: skip


def test_a_run_folder_in_the_place_of_a_model_is_told_how_to_become_one(tmp_path):
    (tmp_path / "config.yaml").touch()
    with pytest.raises(FulmenError, match=f"is a run folder .* fulmen models save {tmp_path} --name NAME"):
        parse(str(tmp_path))


@pytest.mark.parametrize("text", NO_REFERENCES)
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(FulmenError):
        parse(text)


def test_a_text_that_no_file_system_can_bear_is_no_name_and_no_defect():
    for text in ("a" * 5000, "a\0b"):
        with pytest.raises(FulmenError, match="model name"):
            parse(text)
