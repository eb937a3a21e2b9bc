import json

import pytest

from fulmen.utils.progress import FILE, SECONDS, Best, ProgressFile


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def told(folder):
    found = json.loads((folder / FILE).read_text())
    return {name: found[name] for name in ("done", "total", "seconds_left", "what", "best")}


def test_it_is_written_at_the_beginning_and_the_end_and_between_them_at_most_once_a_second(tmp_path, clock):
    with ProgressFile(tmp_path, "epochs", 10, clock=clock) as file:
        assert told(tmp_path)["done"] == 0
        clock.now += SECONDS / 2
        file.update(1)
        assert told(tmp_path)["done"] == 0
        clock.now += SECONDS
        file.update(2.5, what="epoch 3 of 10", best=Best(name="epoch 2", metric="val/loss", value=0.5))
        best = {"name": "epoch 2", "metric": "val/loss", "value": 0.5}
        assert told(tmp_path) == {
            "done": 2.5, "total": 10, "seconds_left": 4.5, "what": "epoch 3 of 10", "best": best,
        }  # fmt: skip
        file.update(3)
    assert told(tmp_path)["done"] == told(tmp_path)["total"] == 3  # stopped early: there will be no more
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_the_time_left_is_that_of_this_start_alone(tmp_path, clock):
    with ProgressFile(tmp_path, "trials", 10, done=6, clock=clock) as file:
        assert told(tmp_path)["seconds_left"] is None
        clock.now += 30
        file.update(7)
        assert told(tmp_path)["seconds_left"] == 90


def test_work_within_work_moves_what_is_around_it(tmp_path, clock):
    folders = [tmp_path / name for name in "abc"]
    with ProgressFile(folders[0], "models", 4, clock=clock) as ranking:
        ranking.update(1, what="mlp")
        with ProgressFile(folders[1], "runs", 2, clock=clock) as runs:
            runs.update(1, what="run 2 of 2")
            clock.now += 5
            with ProgressFile(folders[2], "epochs", 10, clock=clock) as epochs:
                clock.now += 5
                epochs.update(5, what="epoch 6 of 10")
                assert [told(folder)["done"] for folder in folders] == [1.75, 1.5, 5]
                assert told(folders[0])["what"] == "mlp, run 2 of 2, epoch 6 of 10"
                assert told(folders[0])["seconds_left"] == round(10 / 1.75 * 2.25, 1)
    assert told(folders[0])["done"] == 4


def failing(file, change=lambda file: None):
    with file:
        change(file)
        raise ValueError("bad")


def test_what_fails_leaves_how_it_stood_and_no_folder_that_was_made_for_this_alone(tmp_path, clock):
    def go_on(file):
        clock.now += 5
        file.update(4)

    with pytest.raises(ValueError, match="bad"):
        failing(ProgressFile(tmp_path, "epochs", 10, clock=clock), go_on)
    assert told(tmp_path)["done"] == 4
    assert json.loads((tmp_path / FILE).read_text())["ended"] is None
    with pytest.raises(ValueError, match="bad"):
        failing(ProgressFile(tmp_path / "outputs" / "new", "models"))
    assert not (tmp_path / "outputs").exists()
    with pytest.raises(ValueError, match="bad"):
        failing(ProgressFile(tmp_path / "new", "models"), lambda file: (file.folder / "job.json").touch())
    assert (tmp_path / "new" / FILE).exists()


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").touch()
    with ProgressFile(tmp_path / "file" / "below", "epochs", 3) as file:
        file.update(1)
        file._write()


def test_a_best_that_is_no_number_is_none(tmp_path, clock):
    with ProgressFile(tmp_path, "trials", 3, clock=clock) as file:
        clock.now += 2
        file.update(1, best=Best(name="trial 0", metric="val/loss", value=float("nan")))
        assert told(tmp_path)["best"] is None
