"""fulmen as a library: its public names, and a training as a function that returns the run or raises."""

import warnings

import numpy
import pandas
import pytest

import fulmen
from fulmen.config.check import build
from fulmen.errors import FulmenError
from fulmen.registry.predictor import Predictor
from fulmen.registry.save import save_run
from fulmen.runs.predicting import example_records, predict

TINY = [
    "experiment=pbpk_mlp", "data.compounds=24", "data.validation_compounds=4", "data.test_compounds=4",
    "model.network.hidden=8", "model.network.layers=1", "trainer.max_epochs=1", "trainer.limit_train_batches=2",
    "trainer.accelerator=cpu", "callbacks.progress=null", "callbacks.summary=null", "logger.tensorboard=null",
]  # fmt: skip


def test_the_public_names_are_shown_and_there():
    assert set(fulmen.__all__) | {"__version__"} == set(dir(fulmen))
    assert {"Workload", "WorkloadData", "compose", "diagnose", "load_model", "load_run", "train"} <= set(dir(fulmen))
    for name in dir(fulmen):
        assert getattr(fulmen, name), name


def test_a_training_returns_its_run_which_can_be_resumed(tmp_path):
    run = fulmen.train(*TINY, f"output_dir={tmp_path / 'run'}")
    assert (run.folder, run.result["status"], run.result["epochs"]) == (tmp_path / "run", "completed", 1)
    assert run.result["metrics"]["test/r2_log"] is not None
    longer = fulmen.train(f"resume={run.folder}", "trainer.max_epochs=2")
    assert longer.result["epochs"] == 2
    with pytest.raises(FulmenError, match=r"holds a run already \(completed\)"):
        fulmen.train(*TINY, f"output_dir={run.folder}")


def test_a_run_predicts_what_it_would_predict_as_a_kept_model(tmp_path):
    run = fulmen.train(*TINY, f"output_dir={tmp_path / 'run'}")
    kept = Predictor(save_run(run.folder, "pbpk", registry=tmp_path / "models"))
    records = kept.examples()
    (answer,) = kept.answers([kept.read_records(records)])
    for source in (records, pandas.DataFrame(records)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the person lies outside what so few have shown
            table = run.predict(source)
        assert list(table.columns) == list(answer.columns)
        assert numpy.array_equal(table["concentration_mg_per_l"], answer.columns["concentration_mg_per_l"])
    assert run.example_records() == records
    for wrong in (3, None, [3]):
        with pytest.raises(FulmenError, match="predict takes the path of a file, a DataFrame or a list of records"):
            run.predict(wrong)
    with pytest.raises(FulmenError, match=r"there is no file none\.npz; it would have to be"):
        run.predict("none.npz")
    with pytest.raises(FulmenError, match="delimiter: it is read with columns, units"):
        run.predict("none.npz", delimiter=";")


def test_examples_of_images_can_be_predicted_as_they_stand():
    config = fulmen.compose(["experiment=images_plain", "trainer.accelerator=cpu"])
    model, data = build(config.model, "model").eval(), build(config.data, "data")
    data.prepare_data()
    data.setup("test")
    records = example_records(model, data)
    assert len(predict(model, data, records, {}, None)) == len(records) == 2


def test_weights_of_later_than_the_run_was_loaded_are_not_mixed_with_its_result(tmp_path):
    run = fulmen.train(*TINY, f"output_dir={tmp_path / 'run'}")
    fulmen.train(f"resume={run.folder}", "trainer.max_epochs=2")
    with pytest.raises(FulmenError, match=r"trained on since this was loaded; load it again: fulmen\.load_run"):
        run.model  # noqa: B018
    assert fulmen.load_run(run.folder).model


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ([], "no experiment chosen"),
        (["experiment=pbpk_ml"], "did you mean pbpk_mlp?"),
        ([*TINY, "trainer.max_epoch=3"], "did you mean max_epochs?"),
        ([*TINY, "seed=1,2"], "several values for one run"),
    ],
)
def test_a_mistake_is_an_exception_with_the_message_of_the_program(typed, said):
    with pytest.raises(FulmenError) as caught:
        fulmen.train(*typed)
    assert said in str(caught.value)
