"""`trainer.overfit_batches` shows the same training and validation batches in every epoch, as Lightning means it."""

import pytest
from curves import Numbers

FIRST = [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0], [8.0, 9.0, 10.0]]  # 10 numbers in batches of at most 4


@pytest.mark.parametrize("more", [[], ["trainer.reload_dataloaders_every_n_epochs=1"]], ids=str)
@pytest.mark.parametrize(("amount", "batches"), [("1", 1), ("2", 2), ("0.4", 1), ("1.0", 3)])
def test_the_same_batches_in_every_epoch(train, amount, batches, more):
    _, model = train(f"trainer.overfit_batches={amount}", *more)
    assert set(model.shown) == set(range(6))
    assert len(model.shown[0]) == batches
    assert [epoch for epoch, each in model.shown.items() if each != model.shown[0]] == []
    assert [number for batch in model.shown[0] for number in batch] == [
        1.0 + i for i in range(sum(map(len, FIRST[:batches])))
    ]
    assert [seen for _, seen in model.validated] == [FIRST[:batches]] * len(model.validated)


def test_loaders_of_torch_are_left_to_lightning(train, plain):
    _, model = train("trainer.overfit_batches=2", "data.torch_loader=true", "callbacks.best=null")
    _, expected = plain(Numbers(torch_loader=True), overfit_batches=2)
    assert model.shown == expected.shown
    assert model.shown[0] == model.shown[5] == [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]
    assert model.weight == expected.weight


def test_without_it_every_epoch_has_an_order_of_its_own(train):
    _, model = train()
    assert model.shown[0] != model.shown[1]
