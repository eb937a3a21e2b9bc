"""`trainer.precision=auto` takes bfloat16 only where the hardware has it, and a run says what it took."""

import json

import pytest
import torch

from fulmen.config.check import check_overrides
from fulmen.config.mistakes import ConfigError
from fulmen.runs.run import run
from fulmen.utils.precision import best_precision, in_precision, lost_precision

CPU = [({"avx512_bf16": True}, "bf16-mixed"), ({"amx_bf16": True}, "bf16-mixed"), ({"bf16": True}, "bf16-mixed"),
       ({"avx512_bf16": False, "avx512_f": True}, "32-true"), ({}, "32-true")]  # fmt: skip


def without_gpu(monkeypatch, capabilities):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)


@pytest.mark.parametrize(("capabilities", "expected"), CPU)
def test_a_cpu_computes_in_bf16_only_with_instructions_for_it(monkeypatch, capabilities, expected):
    without_gpu(monkeypatch, capabilities)
    assert best_precision("auto") == best_precision("cpu") == expected


@pytest.mark.parametrize("supported", [True, False])
def test_a_gpu_is_asked_whether_bf16_is_more_than_emulated(monkeypatch, supported):
    without_gpu(monkeypatch, {"avx512_bf16": not supported})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: supported)
    assert best_precision("auto") == best_precision("gpu") == ("bf16-mixed" if supported else "32-true")
    assert best_precision("cpu") == ("32-true" if supported else "bf16-mixed")


def test_an_unknown_accelerator_stays_in_single_precision(monkeypatch):
    without_gpu(monkeypatch, {"bf16": True})
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert best_precision("auto") == best_precision("mps") == "32-true"


@pytest.mark.parametrize(("capabilities", "expected"), CPU[::4])
def test_a_run_computes_in_it_and_writes_it_down(monkeypatch, tmp_path, capabilities, expected):
    without_gpu(monkeypatch, capabilities)
    typed = ["experiment=synthetic_mlp", "debug=limit", "trainer.precision=auto", "test=false",
             "callbacks.summary=null", "logger.tensorboard=null", f"output_dir={tmp_path}"]  # fmt: skip
    assert run(check_overrides(typed), typed).cost["precision"] == expected
    assert json.loads((tmp_path / "result.json").read_text())["cost"]["precision"] == expected
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"bf16": expected == "32-true"}, raising=False)
    typed = [f"resume={tmp_path}", "trainer.max_epochs=3"]
    with pytest.warns(UserWarning, match=rf"trained in {expected} so far; give trainer\.precision={expected}"):
        run(check_overrides(typed), typed)


def test_other_names_are_refused_as_before():
    with pytest.raises(ConfigError, match=r"trainer\.precision: must be"):
        check_overrides(["experiment=synthetic_mlp", "trainer.precision=automatic"])


def test_a_kept_model_predicts_in_the_precision_of_its_run_or_says_that_it_does_not(monkeypatch):
    import torch

    x = torch.ones(2, 2)
    for can, dtype, said in ((True, torch.bfloat16, None), (False, torch.float32, "the run computed in bf16-mixed")):
        monkeypatch.setattr("fulmen.utils.precision.has_bf16", lambda accelerator, can=can: can)
        with in_precision("bf16-mixed"):
            assert (x @ x).dtype == dtype
        assert (lost_precision("bf16-mixed") or "").startswith(said or "")
    assert lost_precision("32-true") is lost_precision(None) is None
    assert "64-true" in (lost_precision("64-true") or "")
