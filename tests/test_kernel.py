"""In the kernel of a notebook: a bar that is one output, a run that shows itself, an interrupt that is one line."""

import threading

import pytest
from jupyter_client.manager import KernelManager

TINY = ["experiment=pbpk_mlp", "data.compounds=24", "data.validation_compounds=4", "data.test_compounds=4",
        "data.hours=6", "model.figures=false", "callbacks.summary=null"]  # fmt: skip


class Kernel:
    """A kernel and what it answers."""

    def __init__(self, folder):
        self.manager = KernelManager(kernel_name="python3", transport="ipc", ip=str(folder / "kernel"))
        self.manager.start_kernel(cwd=str(folder))
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code, interrupted_at=None):
        """What a cell shows, as (kind, content); it is interrupted once `interrupted_at` is shown."""
        self.client.execute(code)
        shown = []
        while True:
            message = self.client.get_iopub_msg(timeout=120)
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return shown
            shown.append((kind, content))
            if interrupted_at and interrupted_at in str(content):
                interrupted_at = None
                threading.Timer(0.2, self.manager.interrupt_kernel).start()

    def stop(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    kernel = Kernel(tmp_path_factory.mktemp("k"))
    kernel.run("import fulmen, logging, random, signal, sys, numpy, torch")
    yield kernel
    kernel.stop()


def of(kind, shown):
    return [content for each, content in shown if each == kind]


@pytest.mark.slow
def test_a_training_in_a_cell_is_one_bar_and_a_run_that_shows_itself(kernel):
    shown = kernel.run(f"fulmen.train(*{TINY!r}, 'trainer.max_epochs=2')")
    assert of("error", shown) == []
    bars = [content for content in of("display_data", shown) if "<progress" in content["data"].get("text/html", "")]
    assert len(bars) == 1, "without widgets, and not one for each epoch"
    last = of("update_display_data", shown)[-1]
    assert last["transient"] == bars[0]["transient"], "the same output"
    assert last["data"]["text/plain"].startswith("epoch 2 of 2, trained  lr 0.001  train/loss ")
    assert not any("epoch 1/2" in content["text"] for content in of("stream", shown))
    (result,) = of("execute_result", shown)
    assert 'alt="learning curve"' in result["data"]["text/html"]
    assert "one compartment" in result["data"]["text/html"]


@pytest.mark.slow
def test_an_interrupt_is_one_line_that_names_the_run_and_the_call_that_goes_on(kernel):
    endless = [*TINY, "trainer.max_epochs=300", "callbacks.early_stopping=null"]
    shown = kernel.run(f"fulmen.train(*{endless!r})", interrupted_at="epoch 1 of 300")
    (error,) = of("error", shown)
    assert len("\n".join(error["traceback"]).splitlines()) == 1
    assert error["ename"] == "Interrupted"
    call = error["evalue"].partition("with: ")[2]
    assert call.startswith("fulmen.train("), error
    after = kernel.run("print(signal.getsignal(signal.SIGINT).__name__, signal.getsignal(signal.SIGTERM))")
    assert of("stream", after)[0]["text"].startswith("default_int_handler ")


@pytest.mark.slow
def test_a_mistake_is_told_without_a_traceback(kernel):
    (error,) = of("error", kernel.run("fulmen.train('experiment=pbpk_ml')"))
    assert "did you mean pbpk_mlp?" in error["traceback"][0]
    assert len(error["traceback"]) == 1
