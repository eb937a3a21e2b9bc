"""The promises of an experiment as checks: named, run by a loop or by pytest, and told in a sentence where broken."""

from unittest import SkipTest

import pytest
import torch

import fulmen
from fulmen.config.mistakes import ConfigError
from fulmen.errors import FulmenError
from fulmen.scaffold.new import new_project
from fulmen.testing import BrokenPromise, checks, parametrize_with_checks
from fulmen.testing.promises import Promises


def step_that_counts(self, batch, stage):
    """Its loss depends on what no checkpoint holds."""
    self.__dict__["calls"] = self.__dict__.get("calls", 0) + (stage == "train")
    y = self(batch["x"])
    return ((y - batch["y"]) / self.y_sd).square().mean() / self.calls, {"y": y}


BROKEN = {  # check -> what is done to the model, and what is said then
    "has_baselines": ("summarize", lambda self, *_: fulmen.Summary({"r2": 0.5}), "the constant forecast among them"),
    "predicts_from_its_folder": (
        "predict_step", lambda self, batch, batch_idx=0: {"y": torch.rand(2)}, "draw no random numbers there"
    ),
    "predicts_files": ("input_schema", lambda self, data: None, "say in `input_schema`"),
    "learns_one_batch_by_heart": (
        "step",
        lambda self, batch, stage: (self(batch["x"]).sum() * 0 + 1, {"y": batch["y"]}),
        "see that inputs and targets belong together",
    ),
    "resumes_exactly": ("step", step_that_counts, "what changes while training belongs into buffers"),
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def project(tmp_path_factory):
    """What `fulmen new brooklab` writes, as the working directory."""
    folder = tmp_path_factory.mktemp("project") / "brooklab"
    new_project(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        yield folder


@pytest.fixture(scope="module")
def sound(project):
    """Promises that are kept, with the run that they share."""
    return Promises("brooklab")


def test_pytest_is_given_every_check_under_its_name():
    mark = parametrize_with_checks("brooklab")
    names = [name for name, _ in checks("brooklab")]
    assert list(mark.kwargs["ids"]) == names
    assert {"resumes_exactly", "learns_one_batch_by_heart", "predicts_files"} <= set(names)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_told_with_the_way_to_keep_it(name, sound, monkeypatch):
    from brooklab.module import BrooklabModel

    hook, instead, said = BROKEN[name]
    if name.startswith("predicts"):  # whatever was trained
        monkeypatch.setattr(Promises, "finished", sound.finished)
    monkeypatch.setattr(BrooklabModel, hook, instead)
    with pytest.raises(BrokenPromise, match=said) as broken:
        getattr(Promises("brooklab", steps=20), name)()
    assert ". To keep it: " in str(broken.value)


def test_an_expected_failure_is_skipped_with_its_reason_and_missed_once_it_is_none(sound, monkeypatch):
    from brooklab.module import BrooklabModel

    monkeypatch.setattr(Promises, "finished", sound.finished)
    expected = {"predicts_files": "it has no files"}
    found = dict(checks("brooklab", expected_failures=expected))
    with pytest.raises(BrokenPromise, match="predicts_files is kept after all: take it out of expected_failures"):
        found["predicts_files"]()
    monkeypatch.setattr(BrooklabModel, "input_schema", lambda self, data: None)
    with pytest.raises(SkipTest, match="it has no files"):
        dict(checks("brooklab", expected_failures=expected))["predicts_files"]()


def test_an_expected_failure_of_no_check_is_refused():
    with pytest.raises(FulmenError, match=r"no check is called predict_files; did you mean predicts_files\?"):
        list(checks("brooklab", expected_failures={"predict_files": ""}))


def test_a_mistake_in_an_override_is_no_expected_failure():
    found = dict(checks("brooklab", "trainer.max_epoch=1", expected_failures={"has_baselines": "there are none"}))
    with pytest.raises(ConfigError, match=r"did you mean max_epochs\?"):
        found["has_baselines"]()
