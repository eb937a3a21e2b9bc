"""A training that was stopped and resumed ends with the weights, bit for bit, of one that never was."""

import os
import resource
import signal

import pytest
import torch
from helpers import StopAt, quiet_trainer
from lightning.pytorch import Callback, LightningModule
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from processes import on_ranks
from torch import nn
from torch.utils.data import DataLoader

from fulmen.callbacks.resume import AtomicCheckpoints, ExactResume, read_checkpoint
from fulmen.data.batches import BatchLoader
from fulmen.errors import FulmenError, Interrupted
from fulmen.runs.loggers import EpochTable
from fulmen.signals import NUMBERS


class Regression(LightningModule):
    """Dropout, Adam, a plateau scheduler and a monitored metric: everything that could drift apart."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 1))

    def training_step(self, batch, _):
        loss = (self.net(batch["x"]) - batch["y"]).square().mean()
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(batch["x"]))
        return loss

    def validation_step(self, batch, _):
        loss = (self.net(batch["x"]) - batch["y"]).square().mean()
        self.log("val/loss", loss, batch_size=len(batch["x"]))

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=0.05)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "monitor": "val/loss"}}


def loaders():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(100, 4, generator=generator)
    arrays = {"x": x, "y": x.sum(1, keepdim=True) + 0.3 * torch.randn(100, 1, generator=generator)}
    train = {name: array[:70] for name, array in arrays.items()}
    return BatchLoader(train, 10, shuffle=True, seed=1), BatchLoader({n: a[70:] for n, a in arrays.items()}, 30)


def fit(
    folder, max_epochs=5, stop=None, resume=False, accumulate=1, dealers=loaders, callbacks_too=(), **trainer_options
):
    torch.manual_seed(0)
    model = Regression()
    table = EpochTable(str(folder))
    last = folder / "checkpoints" / "last.ckpt"
    if resume:
        table.resume(read_checkpoint(last)["global_step"])
    trainer = quiet_trainer(
        max_epochs=max_epochs,
        enable_checkpointing=True,
        accumulate_grad_batches=accumulate,
        logger=table,
        plugins=[AtomicCheckpoints()],
        callbacks=[
            *([stop] if stop else []),
            *callbacks_too,
            ExactResume(str(folder / "checkpoints"), seed=7),
            ModelCheckpoint(folder / "checkpoints", "best", monitor="val/loss", enable_version_counter=False),
            EarlyStopping("val/loss", patience=4),
        ],
        **trainer_options,
    )
    train, validation = dealers()
    trainer.fit(model, train, validation, ckpt_path=last if resume else None)
    return model, trainer


def assert_same_training(one, other):
    for (name, a), (_, b) in zip(one[0].state_dict().items(), other[0].state_dict().items(), strict=True):
        assert torch.equal(a, b), name
    assert one[1].global_step == other[1].global_step
    assert one[1].current_epoch == other[1].current_epoch
    rates = [trainer.optimizers[0].param_groups[0]["lr"] for _, trainer in (one, other)]
    assert rates[0] == rates[1]


STOPS = {
    "mid-epoch": StopAt(17),
    "first batch": StopAt(0),
    "last batch of an epoch": StopAt(13),
    "first batch of an epoch": StopAt(14),
    "during validation": StopAt(21, hook="validation"),
    "Ctrl-C": StopAt(30, signal.SIGINT),
}


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_interrupted_and_resumed_equals_uninterrupted(tmp_path, stop):
    whole = fit(tmp_path / "whole")
    with pytest.raises(Interrupted, match="resume=") as interruption:
        fit(tmp_path / "parts", stop=stop)
    assert interruption.value.exit_code == 128 + stop.number
    parts = fit(tmp_path / "parts", resume=True)
    assert_same_training(whole, parts)
    assert (tmp_path / "whole" / "metrics.csv").read_text() == (tmp_path / "parts" / "metrics.csv").read_text()


def test_resume_waits_for_the_end_of_an_accumulation_window(tmp_path):
    whole = fit(tmp_path / "whole", accumulate=3)
    with pytest.raises(Interrupted):
        fit(tmp_path / "parts", accumulate=3, stop=StopAt(4))
    assert_same_training(whole, fit(tmp_path / "parts", accumulate=3, resume=True))


def test_several_interruptions_in_one_run(tmp_path):
    whole = fit(tmp_path / "whole")
    with pytest.raises(Interrupted):
        fit(tmp_path / "parts", stop=StopAt(3))
    for step in (4, 12, 22):
        with pytest.raises(Interrupted):
            fit(tmp_path / "parts", stop=StopAt(step), resume=True)
    assert_same_training(whole, fit(tmp_path / "parts", resume=True))


def test_killed_run_goes_on_from_the_last_complete_epoch(tmp_path):
    class Killed(Exception):
        pass

    class KillAt(Callback):
        def on_train_batch_end(self, trainer, *_):
            if trainer.global_step == 24:
                raise Killed  # no hook of ours saves anything on the way out, as after SIGKILL

    whole = fit(tmp_path / "whole")
    with pytest.raises(Killed):
        fit(tmp_path / "parts", stop=KillAt())
    assert read_checkpoint(tmp_path / "parts" / "checkpoints" / "last.ckpt")["global_step"] == 21
    assert_same_training(whole, fit(tmp_path / "parts", resume=True))


def test_finished_run_can_be_trained_longer(tmp_path):
    whole = fit(tmp_path / "whole", max_epochs=6)
    fit(tmp_path / "parts", max_epochs=3)
    assert_same_training(whole, fit(tmp_path / "parts", max_epochs=6, resume=True))


def test_interruption_between_two_validations_of_an_epoch(tmp_path):
    whole = fit(tmp_path / "whole", val_check_interval=3)
    with pytest.raises(Interrupted):
        fit(tmp_path / "parts", stop=StopAt(10), val_check_interval=3)
    assert_same_training(whole, fit(tmp_path / "parts", resume=True, val_check_interval=3))


ENDINGS = {  # how the first training ends, how the second goes on; `max_steps` ends within an epoch of 7 batches
    "in an epoch": ({"max_steps": 10}, {"max_steps": 20}),
    "at its end": ({"max_steps": 14}, {"max_steps": 30}),
    "in an epoch, then by epochs": ({"max_steps": 10}, {}),
    "by epochs, then by steps": ({"max_epochs": 2}, {"max_steps": 18}),
    "after a validation in an epoch": ({"max_steps": 9, "val_check_interval": 3}, {"val_check_interval": 3}),
    "between validations": ({"max_steps": 10, "val_check_interval": 3}, {"max_steps": 20, "val_check_interval": 3}),
    "validation over epochs": (
        {"max_steps": 10, "val_check_interval": 4, "check_val_every_n_epoch": None},
        {"max_steps": 20, "val_check_interval": 4, "check_val_every_n_epoch": None},
    ),
    "with windows": ({"max_steps": 4, "accumulate": 2}, {"max_steps": 9, "accumulate": 2}),
    "limited epochs": ({"max_steps": 6, "limit_train_batches": 4}, {"max_steps": 15, "limit_train_batches": 4}),
    "limited epochs, at their end": ({"max_steps": 8, "limit_train_batches": 4}, {"limit_train_batches": 4}),
    "validation every second epoch": (
        {"max_steps": 17, "check_val_every_n_epoch": 2},
        {"max_steps": 33, "check_val_every_n_epoch": 2},
    ),
}


@pytest.mark.parametrize(("first", "then"), ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("plateau", [True, False])
def test_a_training_that_ended_goes_on_as_one_that_did_not(tmp_path, first, then, plateau, monkeypatch):
    if not plateau:
        monkeypatch.setattr(Regression, "configure_optimizers", lambda self: torch.optim.Adam(self.parameters(), 0.05))
    elif "check_val_every_n_epoch" in first:
        pytest.skip("plateau needs a validation in every epoch")
    whole = fit(tmp_path / "whole", **then)
    fit(tmp_path / "parts", **first)
    parts = fit(tmp_path / "parts", resume=True, **then)
    assert_same_training(whole, parts)
    assert (tmp_path / "whole" / "metrics.csv").read_text() == (tmp_path / "parts" / "metrics.csv").read_text()
    states = [read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt") for name in ("whole", "parts")]
    assert str(states[0]["result"]) == str(states[1]["result"])
    assert str(states[0]["loops"]["fit_loop"]["epoch_loop.state_dict"]) == str(
        states[1]["loops"]["fit_loop"]["epoch_loop.state_dict"]
    )


@pytest.mark.parametrize(
    "options", [{}, {"accumulate": 3}, {"limit_train_batches": 5}, {"val_check_interval": 2}], ids=str
)
def test_every_epoch_up_to_max_steps_is_trained(tmp_path, options, monkeypatch):
    monkeypatch.setattr(Regression, "configure_optimizers", lambda self: torch.optim.Adam(self.parameters(), 0.05))
    _, trainer = fit(tmp_path, max_epochs=-1, max_steps=11, **options)
    batches = options.get("limit_train_batches", 7)
    steps = -(-batches // options.get("accumulate", 1))
    assert (trainer.global_step, trainer.current_epoch) == (11, -(-11 // steps))


class StopInEpoch(Callback):
    """As early stopping or a clock does after the given batch."""

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        trainer.should_stop = trainer.should_stop or trainer.global_step == 10


def test_a_training_that_was_stopped_in_an_epoch_goes_on_in_it(tmp_path):
    whole = fit(tmp_path / "whole")
    fit(tmp_path / "parts", stop=StopInEpoch())
    stored = read_checkpoint(tmp_path / "parts" / "checkpoints" / "last.ckpt")
    assert stored["position"]["in_epoch"]
    assert stored["position"]["decided"]
    stored["position"]["decided"] = False  # as where the rules have changed
    torch.save(stored, tmp_path / "parts" / "checkpoints" / "last.ckpt")
    parts = fit(tmp_path / "parts", resume=True)
    for (name, a), (_, b) in zip(whole[0].state_dict().items(), parts[0].state_dict().items(), strict=True):
        assert torch.equal(a, b), name


def torch_loaders(workers=0):
    train, validation = loaders()
    rows = [{name: x[i] for name, x in train.arrays.items()} for i in range(train.samples)]
    return DataLoader(rows, 10, shuffle=True, num_workers=workers), validation


@pytest.mark.parametrize("step", [4, 14, 17], ids=["first epoch", "between epochs", "in an epoch"])
@pytest.mark.parametrize("workers", [0, 1])
def test_loaders_that_know_no_position_are_dealt_again_up_to_it(tmp_path, step, workers):
    def dealers():
        return torch_loaders(workers)

    whole = fit(tmp_path / "whole", max_epochs=3, dealers=dealers)
    with pytest.raises(Interrupted):
        fit(tmp_path / "parts", max_epochs=3, stop=StopAt(step), dealers=dealers)
    assert_same_training(whole, fit(tmp_path / "parts", max_epochs=3, resume=True, dealers=dealers))


def generated():
    """A loader whose order follows from a generator of its own."""
    train, validation = loaders()
    rows = [{name: x[i] for name, x in train.arrays.items()} for i in range(train.samples)]
    return DataLoader(rows, 10, shuffle=True, generator=torch.Generator().manual_seed(1)), validation


def test_a_loader_that_cannot_go_on_exactly_is_named_when_training_starts(tmp_path, recwarn):
    for dealers, named in ((loaders, False), (torch_loaders, False), (generated, True)):
        recwarn.clear()
        fit(tmp_path / dealers.__name__, max_epochs=1, dealers=dealers)
        said = [str(each.message) for each in recwarn if "an interrupted epoch goes on with other" in str(each.message)]
        assert len(said) == named, (dealers, said)


class Seen(Callback):
    """The first values of the samples that are trained on, by epoch."""

    def __init__(self):
        self.of = {}

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        self.of.setdefault(trainer.current_epoch, []).extend(batch["x"][:, 0].tolist())


def trained_on(folder, seen, **options):
    fit(folder, resume=True, stop=seen, max_epochs=3, **options)
    return seen.of


def trained_by_two(folder):
    return trained_on(folder, Seen(), devices=2, strategy="ddp")


def interrupted_by_two(folder):
    class Both(Seen):
        def on_train_batch_start(self, trainer, module, batch, batch_idx):
            super().on_train_batch_start(trainer, module, batch, batch_idx)
            if trainer.global_step == 5:
                os.kill(os.getpid(), signal.SIGTERM)

    seen = Both()
    with pytest.raises(Interrupted):
        fit(folder, stop=seen, max_epochs=3, devices=2, strategy="ddp")
    return seen.of


@pytest.mark.ddp
@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1), (2, 2)])
def test_an_epoch_goes_on_by_another_number_of_processes(tmp_path, before, after):
    """35 samples a rank and epoch: none is skipped, none repeated, and the next epochs are whole."""
    if before == 1:
        first = Seen()
        with pytest.raises(Interrupted):
            fit(tmp_path, max_epochs=3, stop=first, callbacks_too=[StopAt(10)])
        parts = [first.of]
    else:
        parts = on_ranks(2, interrupted_by_two, tmp_path)
    parts += on_ranks(2, trained_by_two, tmp_path) if after == 2 else [trained_on(tmp_path, Seen())]
    for epoch in range(3):
        seen = [x for part in parts for x in part.get(epoch, [])]
        assert (len(seen), len(set(seen))) == (70, 70), epoch


def test_signal_handlers_are_given_back(tmp_path):
    before = [signal.getsignal(number) for number in NUMBERS]
    fit(tmp_path / "a", max_epochs=1)
    with pytest.raises(Interrupted):
        fit(tmp_path / "b", stop=StopAt(3))
    assert [signal.getsignal(number) for number in NUMBERS] == before


def test_truncated_checkpoint_is_named(tmp_path):
    fit(tmp_path, max_epochs=1)
    path = tmp_path / "checkpoints" / "last.ckpt"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(FulmenError, match=r"last\.ckpt is damaged .*beside it lies best\.ckpt"):
        read_checkpoint(path)


def test_full_disk_keeps_the_previous_checkpoint(tmp_path):
    fit(tmp_path, max_epochs=1)
    path = tmp_path / "checkpoints" / "last.ckpt"
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        with pytest.raises(FulmenError, match=r"cannot write .*last\.ckpt: .*nothing already written is lost"):
            AtomicCheckpoints().save_checkpoint({"weights": torch.zeros(100_000)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == ["best.ckpt", "last.ckpt"]
