"""What is typed after a verb is taken in any order, and nothing of it is dropped."""

import pytest

from fulmen.cli import main, parser

LINES = [
    ("rank sensors --folds 2 trainer.max_epochs=3", {"overrides": ["trainer.max_epochs=3"], "folds": 2}),
    ("rank --folds 2 sensors a=1 --seeds 3 b=2", {"experiment": "sensors", "overrides": ["a=1", "b=2"], "seeds": 3}),
    ("rank sensors ~callbacks.summary --save-top 1 ++a=-1", {"overrides": ["~callbacks.summary", "++a=-1"]}),
    ("compare -o report a b seeds=3", {"overrides": ["a", "b", "seeds=3"]}),
    ("compare a b -o report seeds=3", {"overrides": ["a", "b", "seeds=3"]}),
    ("predict pump -o out.csv in.csv", {"model": "pump", "input": "in.csv", "output": "out.csv"}),
    ("predict -o out.csv pump in.csv", {"model": "pump", "input": "in.csv", "output": "out.csv"}),
    ("models promote pump --as champion 3", {"model": "pump", "version": "3", "alias": "champion"}),
    ("models delete --force pump 3", {"model": "pump", "version": "3", "force": True}),
    ("models list --registry kept pump", {"name": "pump", "registry": "kept"}),
    ("runs --outputs elsewhere stocks", {"words": ["stocks"], "outputs": "elsewhere"}),
    ("diagnose --train a log.csv --val b", {"path": "log.csv", "train": "a", "val": "b"}),
]


@pytest.mark.parametrize(("line", "expected"), LINES, ids=[line for line, _ in LINES])
def test_words_and_options_stand_in_any_order(line, expected):
    found = vars(parser().parse_args(line.split()))
    assert {name: found[name] for name in expected} == expected


STRANGERS = {
    "rank sensors --fold-count 2 a=1": "unrecognized arguments",
    "runs --nonsense": "unrecognized arguments",
    "models gc pump": "unrecognized arguments",
    "predict pump in.csv more.csv": "argument KEY=VALUE: 'more.csv' is not of the form KEY=VALUE",
    "runs --kind fold": "argument --kind: invalid choice: 'fold' (choose from 'run', ",
    "predict pump --set dose_mg": "argument --set: 'dose_mg' is not of the form",
    "": "which command? There is train, sweep, new, ",
    "models save runs/a more --name b": "argument KEY=VALUE: 'more' is not of the form KEY=VALUE",
}


@pytest.mark.parametrize("line", STRANGERS)
def test_what_no_verb_takes_is_refused(line, capsys):
    assert main(line.split()) == 2
    said = capsys.readouterr().err
    assert STRANGERS[line] in said
    assert said.startswith("error: fulmen")
    assert said.count("\n") == 1, "one line, and not the usage"
