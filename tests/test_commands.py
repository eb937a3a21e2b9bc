"""The commands and the Python code of the pages work: run as they stand there, long ones small, or marked in a comment.

Trainings are checked as `train.py` checks them, and one of each kind is run. The verbs of `fulmen` and Python code run
page by page, in their order, in a folder that holds one finished run.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import PBPK
from omegaconf import OmegaConf
from pages import GUIDES, LANGUAGES, ROOT, Command, blocks, commands, every_command

from fulmen.cli import main as fulmen_command
from fulmen.config.check import check_overrides
from fulmen.config.compose import expand
from fulmen.config.options import parse
from fulmen.config.schema import choices
from fulmen.entrypoints import before_search, before_work, messages, started_from
from fulmen.runs.run import run

pytestmark = pytest.mark.usefixtures("warm_start")

TRAIN, SWEEP = re.compile(r"(python train\.py|fulmen train) "), re.compile(r"(python sweep\.py|fulmen sweep) ")
ANSWERS = re.compile(r".* (--help|--cfg job)$")
NEEDS_A_RUN = re.compile(r"<stamp>|@")  # in the folder of the page
STAMP = "2026-01-31_12-00-00-000000"
TINY = [*PBPK, "trainer.max_epochs=1"]
QUICK = {  # what takes long, made small; done once for all pages
    "compare": ["trainer.max_epochs=1", "callbacks.summary=null", "model.figures=false"],
    "rank": ["--folds=2", "trainer.max_epochs=1", "data.machines=8"],
    "new": [],
}
COMMANDS = list({command.text: command for command in every_command()}.values())  # each text once
DONE: set[str] = set()


def kind(command: Command) -> str:
    """How a command is tried: answer, train, search, verb, make, cd; "" if it is not."""
    if ANSWERS.match(command.text):
        return "answer"
    if TRAIN.match(command.text):
        return "train"
    if SWEEP.match(command.text):
        return "search"
    return {"fulmen": "verb", "make": "make", "cd": "cd"}.get(command.words[0], "")


def of(*kinds: str) -> list[Command]:
    return [command for command in COMMANDS if kind(command) in kinds]


def overrides_of(command: Command) -> list[str]:
    return command.words[2:]


def is_shipped(command: Command) -> bool:
    """Whether its experiment is one of fulmen's, not of a project that the page has begun."""
    names = re.findall(r"\bexperiment=([\w-]+)", command.text)
    return set(names) <= set(choices("experiment"))


def test_every_command_is_tried_here_or_says_what_it_needs():
    assert [str(command) for command in every_command() if not kind(command) and not command.marked] == []


def test_every_block_is_in_a_language_that_is_tried_here():
    found = [block for page in GUIDES for block in blocks(page)]
    assert [f"{each.page}:{each.line}" for each in found if each.language not in LANGUAGES] == []
    for block in found:
        if block.language == "yaml":
            assert OmegaConf.create(block.text) is not None


@pytest.mark.parametrize(
    "command", [c for c in of("train") if is_shipped(c) and not NEEDS_A_RUN.search(c.text)], ids=str
)
def test_trainings_pass_the_check(command):
    typed = parse(overrides_of(command), "", lambda typed: None)
    runs = expand(typed.overrides) if typed.multirun else [typed.overrides]
    for overrides in [runs[0], *runs[1:][-1:]]:  # the first and the last of many
        check_overrides(overrides)


@pytest.mark.parametrize("command", list(filter(is_shipped, of("search"))), ids=str)
def test_searches_pass_the_check(command, tmp_path):
    assert before_search([*overrides_of(command), f"search.folder={tmp_path}"])


@pytest.mark.parametrize("block", [block for page in GUIDES for block in blocks(page, "console")],
                         ids=lambda block: f"{block.page}:{block.line}")  # fmt: skip
def test_what_the_console_shows_is_what_it_shows(block, capsys):
    typed, _, shown = block.text.removeprefix("$ ").partition("\n")
    argv = Command(block.page, block.line, typed, "").words[1:]
    with pytest.raises(SystemExit), messages():
        before_work(argv)
    assert capsys.readouterr().err == shown


def started(words: list[str], **options) -> subprocess.CompletedProcess:
    """What a command says when it is started as a process of its own, from the checkout."""
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
@pytest.mark.parametrize("command", of("answer"), ids=str)
def test_help_is_given(command):
    words = command.words
    assert started(["-m", *words] if words[0] == "fulmen" else words[1:]).stdout


@pytest.mark.slow
@pytest.mark.parametrize("command", [c for c in of("train") if re.search("pbpk_gnn data(?!.npz)", c.text)], ids=str)
def test_trainings_run(command, tmp_path):
    typed = [*overrides_of(command), *TINY, f"output_dir={tmp_path / 'run'}"]
    assert run(check_overrides(typed), typed).status == "completed"


@pytest.mark.slow
def test_one_run_for_each_seed(tmp_path):
    command = next(command for command in of("train") if "-m experiment=pbpk_mlp seed=" in command.text)
    started([*command.words[1:], *TINY, f"hydra.sweep.dir={tmp_path}/runs"])
    assert len(list((tmp_path / "runs" / "pbpk_mlp").iterdir())) == 3


@pytest.mark.slow
def test_a_search_runs_to_its_total(tmp_path):
    command = next(command for command in of("search") if "search.trials=20" in command.text)
    few = [*TINY, "search.trials=3", "search.champion_seeds=1", f"search.folder={tmp_path}", "search.name=study"]
    started([*command.words[1:], *few])
    assert len(list((tmp_path / "study").glob("trial_*"))) == 3


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A small finished run of pbpk_mlp over whole days, as files with subjects have them."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    typed = ["experiment=pbpk_mlp", *TINY, "data.hours=24", f"output_dir={folder}"]
    return run(check_overrides(typed), typed).folder


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A working directory for all pages, so that what one has trained need not be trained for another."""
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def desk(finished, shared, monkeypatch):
    """That directory, with the finished run in it as the pages call it, and a registry of its own."""
    folder = shared / "outputs" / "runs" / "pbpk_mlp" / STAMP
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(finished, folder)
    monkeypatch.setenv("FULMEN_REGISTRY", str(shared / "outputs" / "models"))
    monkeypatch.chdir(shared)
    return shared


def follow(command: Command, patch: pytest.MonkeyPatch) -> None:
    """Do what a command of a page says, in the working directory."""
    words = [re.sub("^seeds=.*", "seeds=1", word.replace("<stamp>", STAMP)) for word in command.words]
    if command.text in DONE:
        return
    if kind(command) == "cd":
        patch.chdir(words[1])
        patch.syspath_prepend(os.getcwd())  # as that of a process started there
    elif kind(command) == "make":
        assert re.search(rf"^{words[1]}:", Path("Makefile").read_text(), re.MULTILINE), command
    elif kind(command) == "verb":
        assert fulmen_command([*words[1:], *QUICK.get(words[1], ())]) == 0, command
    elif kind(command) == "search":
        assert before_search(words[2:]), command
    else:
        typed = [re.sub(r"max_epochs=\d+", "max_epochs=2", override) for override in words[2:]]
        cfg = check_overrides(started_from(typed))
        assert not cfg.get("resume") or run(cfg, typed).status == "completed", command
    if words[1] in QUICK:
        DONE.add(command.text)


def in_the_folder(command: Command) -> bool:
    needs = NEEDS_A_RUN.search(command.text) is not None or not is_shipped(command)
    return not command.marked and (kind(command) in ("verb", "cd") or needs)


def does_something(page: str) -> bool:
    return bool(blocks(page, "python")) or any(map(in_the_folder, every_command([page])))


@pytest.mark.slow
@pytest.mark.parametrize("page", list(filter(does_something, GUIDES)))
def test_verbs_and_code_of_a_page_run_in_their_order(page, desk, monkeypatch):
    names: dict = {}
    for block in blocks(page, "bash", "python"):
        if block.language == "python":
            code = "\n" * (block.line - 1) + block.text.replace("<stamp>", STAMP)
            exec(compile(code, page, "exec"), names)
        else:
            for command in commands(block):
                if in_the_folder(command) or (kind(command) == "make" and Path.cwd() != desk):
                    follow(command, monkeypatch)
