"""Names of files and columns with any characters: the cure for an override without quotes is what was meant."""

import random
import re
import shlex
import subprocess

import pytest
from cures import arguments, cures
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from fulmen.config.check import check_overrides
from fulmen.config.compose import compositions_kept
from fulmen.config.mistakes import ConfigError, as_text, for_shell
from fulmen.config.override_values import value_of
from fulmen.config.unquoted import meant, requoted
from fulmen.entrypoints import before_search, before_work
from fulmen.errors import FulmenError

LETTERS = "abzAZ019 _-.=,;:()[]{}'\"äß€$~!&#%@+*?/\\|<>^`"
NAMES = 300


def names(seed, letters=LETTERS):
    """Random names as people give them: they begin and end with no blank, and ask nothing of OmegaConf."""
    rng = random.Random(seed)
    made = ("".join(rng.choices(letters, k=rng.randint(1, 12))).strip() for _ in range(3 * NAMES))
    return [name for name in made if name and "${" not in name][:NAMES]


def in_bash(words):
    """The words a program gets of a line."""
    line = " ".join(["printf", r"'%s\0'", *words])
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout.split("\0")[:-1]


def misread(name):
    """Whether Hydra reads `it=name`, but not as this text: a number, a list, what stands in quotes."""
    try:
        parsed = OverridesParser.create().parse_override(f"it={name}")
    except HydraException:
        return False
    return parsed.is_sweep_override() or parsed.value() != name


def test_a_value_is_written_so_that_bash_and_hydra_read_it_as_it_was():
    every = names(1)
    assert len(every) == NAMES
    values = [*every, *([a, {"close": b}] for a, b in zip(every[::2], every[1::2], strict=True)), *"\t;"]
    words = [for_shell(f"data.it={as_text(value)}") for value in values]
    assert [shlex.split(word) for word in words] == [[f"data.it={as_text(value)}"] for value in values]
    for value, got in zip(values, in_bash(words), strict=True):
        assert value_of(got) == value


def test_a_name_that_hydra_cannot_read_is_put_in_quotes_and_nothing_else_changes():
    for name in names(2):
        if not misread(name) and name[0] not in "[{'\"":
            assert value_of(requoted("data.csv", name)) == name, name
        if not {*name} & set("'\",[]{}\\():"):
            listed = f"[{name},{{close: {name}}}]"
            assert meant(listed, texts=True) == [name, {"close": name}], name
            assert value_of(requoted("data.it", listed)) == meant(listed)


def test_the_cure_of_a_command_names_the_file_that_was_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tried = 0
    with compositions_kept():
        for name in names(3)[:24]:
            if (misread(name) and not name.isdigit()) or re.fullmatch(r"[\[{][\w\s,:-]*", name):
                continue
            try:
                assert check_overrides(["experiment=stocks", f"data.csv={name}"]).data.csv == name
            except ConfigError as error:
                words = shlex.split(str(error).partition("this works: ")[2])
                assert arguments(words)["csv"] == name, name
                assert check_overrides(words[2:]).data.csv == name
                tried += 1
    assert tried > 8


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        (["data.delimiter=;"], {"delimiter": "semicolon"}),
        (["data.delimiter=,"], {"delimiter": "comma"}),
        (["data.forbidden=[false,1]"], {"forbidden": ["false", "1"]}),
        (["data.labels=[No,", "Yes]"], {"labels": ["No", "Yes"]}),
        (["data.labels=[not ok,ok!]"], {"labels": ["not ok", "ok!"]}),
        (["data.numeric=[Air temperature [K],Größe (in m, net),a=b]"],
         {"numeric": ["Air temperature [K]", "Größe (in m, net)", "a=b"]}),
        (["data.target=1e5"], {"target": "1e5"}),
        (["data.target=TRUE"], {"target": "TRUE"}),
        (["data.target=Machine", "failure", "(y=1)", "seed=3"], {"target": "Machine failure (y=1)"}),
        (["data.ranges={a:[0,1],", "b", "(c):[0,2]}"], {"ranges": {"a": [0, 1], "b (c)": [0, 2]}}),
        (["data.ranges=a:x", "data.ranges=b:y;z"], {"ranges": {"a": "x", "b": "y;z"}}),
        (["data.csv=my", "old", "readings.csv"], {"csv": "my old readings.csv"}),
        (["data.csv=", "readings.csv"], {"csv": "readings.csv"}),
        (["data.csv=2024"], {"csv": "2024"}),
    ],
)  # fmt: skip
def test_what_lacks_its_quotes_is_answered_with_a_command_that_has_them(typed, wanted):
    with pytest.raises(FulmenError) as refused:
        check_overrides(["experiment=sensors", *typed])
    message = str(refused.value)
    assert "without:" not in message
    if "ranges" in wanted and "x" in wanted["ranges"].values():
        return  # they are no ranges: only how they were put together is looked at
    assert arguments(cures(message)[0]) == wanted
    assert ("seed=3" in typed) == ("seed=3" in cures(message)[0])


def test_what_no_quotes_can_mend_is_not_left_out():
    with pytest.raises(FulmenError, match=r"a name in braces cannot hold such characters") as refused:
        check_overrides(["experiment=sensors", "data.ranges={Größe:[0,1]}"])
    assert "this works" not in str(refused.value)


def test_several_names_are_offered_as_one_with_a_comma():
    with pytest.raises(FulmenError) as refused:
        check_overrides(["experiment=sensors", "data.target=Pass,Fail"])
    assert "one name with a comma: \"data.target='Pass,Fail'\"" in str(refused.value)


def test_a_blank_and_a_home_are_read_as_typed(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "px.csv").touch()
    data = check_overrides(["experiment=sensors", "data.delimiter=\t", "data.csv=~/px.csv"]).data
    assert (data.delimiter, data.csv) == ("\t", str(tmp_path / "px.csv"))


@pytest.mark.parametrize(
    ("typed", "cure"),
    [
        (["data.delimiter=;"], "data.delimiter=semicolon"),
        (["data.csv=my", "old.csv"], "'data.csv=my old.csv'"),
        (["data.csv=px=2024"], "\"data.csv='px=2024'\""),
        (["data.labels=[No,", "Yes]"], "'data.labels=[No, Yes]'"),
    ],
)
def test_several_runs_and_searches_are_answered_alike(tmp_path, monkeypatch, typed, cure):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FulmenError) as refused:
        before_work(["train.py", "-m", "experiment=sensors", *typed, "seed=1,2"])
    assert str(refused.value).endswith(f"\n  this works: python train.py -m experiment=sensors {cure} seed=1,2")
    with pytest.raises(FulmenError) as refused:
        before_search(["experiment=sensors", *typed, "search.trials=2"])
    assert str(refused.value).endswith(f"\n  this works: python sweep.py experiment=sensors {cure} search.trials=2")
