"""The page "Your own project", followed from its top with an installed wheel, an empty folder and no network.

The environment has lost the experiments that are shipped: a project does not need them.
"""

import json
from collections.abc import Iterator
from itertools import groupby
from resource import RUSAGE_CHILDREN, getrusage

import pytest
from installed import Installed
from pages import OWN_PROJECT, blocks, commands

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # a dozen processes
IN_ONE_PROCESS = """
import contextlib, io, json, sys, traceback
from fulmen.cli import main

names, answers = {}, {}
for step, code, words in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            status = exec(code, names) or 0 if code else main(words[1:])
        except BaseException:
            status = traceback.format_exc()
    answers[step] = [status, out.getvalue(), err.getvalue()]
print(json.dumps(answers))
"""
Step = tuple[str, str, list[str]]  # what stands on the page, code or "", words of a command


def steps() -> Iterator[Step]:
    """What the page tells to do, in its order."""
    for block in blocks(OWN_PROJECT, "bash", "python"):
        if block.language == "python":
            yield f"line {block.line}", block.text, []
        else:
            yield from ((command.text, "", command.words) for command in commands(block))


def needs_no_process(step: Step) -> bool:
    _, code, words = step
    return bool(code) or (words[0] == "fulmen" and words[1] not in ("new", "train", "sweep"))


def seconds_of_children() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    installed = Installed(tmp_path_factory.mktemp("installed"), wheel)
    for path in (installed.packages / "fulmen" / "conf" / "experiment").iterdir():
        if path.stem != "sensors":  # which a project is begun from
            path.unlink()
    return installed


@pytest.fixture(scope="module")
def followed(installed):
    """Step of the page -> exit status, output, errors, seconds of one core. Snippets and verbs share a process."""
    answers, folder = {}, "."
    for together, group in groupby(steps(), needs_no_process):
        found = [(name, code, [latest(installed, folder, word) for word in words]) for name, code, words in group]
        if together:
            done = installed("-c", IN_ONE_PROCESS, json.dumps(found), program="python", folder=folder)
            assert done.returncode == 0, done.stderr
            answers |= json.loads(done.stdout.splitlines()[-1])
            continue
        for name, _, (program, *words) in found:
            if program == "cd":
                folder = words[0]
                continue
            began = seconds_of_children()
            done = installed(*words, program=program, folder=folder)
            answers[name] = [done.returncode, done.stdout, done.stderr, seconds_of_children() - began]
    return answers


def latest(installed, folder, word):
    runs = sorted((installed.work / folder / "outputs" / "runs" / "mylab").glob("*"))
    return word.replace("<stamp>", runs[0].name) if runs else word


def test_every_command_and_snippet_works(followed):
    failed = [
        f"{step}: {status}\n{said[-2000:]}\n{error}" for step, (status, said, error, *_) in followed.items() if status
    ]
    assert not failed, "\n\n".join(failed)
    verbs = {step.split()[1] for step in followed if step.startswith("fulmen ")}
    assert verbs == {"new", "runs", "compare", "rank", "diagnose", "models", "predict"}


def test_the_new_project_trains_within_a_minute(followed):
    _, said, _, seconds = followed["make train"]
    assert "constant" in said
    assert seconds < 60


def test_its_own_tests_pass(followed):
    said = followed["make test"][1]
    assert " passed" in said
    assert "skipped" not in said


def test_the_verbs_say_what_they_are_asked_for(followed, installed):
    said = {step.partition(" outputs")[0]: answer[1] for step, answer in followed.items()}
    assert "completed" in said["fulmen runs"]
    assert "patients of the test split" in said["fulmen compare"]
    assert "constant" in said["fulmen rank mylab --folds 2 trainer.max_epochs=5"]
    assert "champion" in said["fulmen models list"]
    assert len(said["fulmen predict best@champion patients.csv"].splitlines()) > 400
    assert len(list((installed.work / "mylab/outputs/sweeps").glob("*/report.md"))) == 1
