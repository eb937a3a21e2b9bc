"""The helper that reads what a message tells a person to type."""

from cures import applied, arguments, commands_in, cures, overrides_in


def test_overrides_are_found_as_the_shell_reads_them():
    message = (
        "px.csv: no column Close; is it Price ('data.columns={close: Price}') or 'Close/Last' "
        "(\"data.columns={close:'Close/Last'}\")? Else data.decimal=comma or "
        "data.decimal=point, data.missing_values=[]."
    )
    assert overrides_in(message) == [
        "data.columns={close: Price}", "data.columns={close:'Close/Last'}", "data.decimal=comma", "data.decimal=point",
        "data.missing_values=[]",
    ]  # fmt: skip
    assert cures(message)[2] == ["data.decimal=comma"]
    assert arguments(applied(["data.csv=a.csv", "data.decimal=auto"], ["data.decimal=comma"])) == {
        "csv": "a.csv",
        "decimal": "comma",
    }


def test_a_whole_command_is_one_cure():
    message = "data.csv: no\n  this works: python train.py experiment=stocks \"data.csv='a=b (1)'\""
    assert commands_in(message) == [["python", "train.py", "experiment=stocks", "data.csv='a=b (1)'"]]
    assert cures(message) == [["experiment=stocks", "data.csv='a=b (1)'"]]
    assert arguments(cures(message)[0]) == {"csv": "a=b (1)"}
    assert overrides_in(message) == []
