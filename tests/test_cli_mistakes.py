"""A mistake in what was typed for a verb is answered with a command of that verb that keeps all else."""

import pytest

from fulmen.cli import main


@pytest.mark.parametrize(
    ("typed", "works"),
    [
        (["rank", "sensors", "--folds", "2", "trainer.max_epoch=3"],
         "fulmen rank sensors trainer.max_epochs=3 --folds 2"),
        (["compare", "images_plain loss=focl", "images_balanced", "seeds=2"],
         "fulmen compare 'images_plain loss=focal' images_balanced seeds=2"),
        (["compare", "images_plain loss=focal", "images_balanced", "trainer.max_epoch=2"],
         "fulmen compare 'images_plain loss=focal' images_balanced trainer.max_epochs=2"),
    ],
)  # fmt: skip
def test_the_command_that_works_is_of_the_same_verb(typed, works, capsys):
    assert main(["schema", "sensors", "images_plain"]) == 0  # what is known of classes is written down
    assert main(typed) == 2
    assert f"this works: {works}\n" in capsys.readouterr().err
