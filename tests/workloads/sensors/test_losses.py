"""Why the test loss of a network with several members is not the log loss of its report."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from fulmen.workloads.sensors.evaluate import NOTES
from fulmen.workloads.sensors.networks.tabular import probability, row_loss
from fulmen.workloads.sensors.verdict import losses


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("members", [1, 8])
def test_the_logged_loss_is_the_mean_over_members_and_no_smaller_than_the_log_loss(members, outputs):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(500, members, outputs, generator=generator, dtype=torch.float64)
    target = torch.randint(0, max(outputs, 2), (500,), generator=generator)
    p = [probability(logits[:, [m]]).numpy() for m in range(members)]
    alone = [log_loss(target, each, labels=range(max(outputs, 2))) for each in p]
    together = log_loss(target, np.mean(p, 0), labels=range(max(outputs, 2)))
    assert float(row_loss(logits, target).mean()) == pytest.approx(np.mean(alone))
    assert losses(probability(logits).numpy(), target.numpy()).mean() == pytest.approx(together)
    assert together == pytest.approx(np.mean(alone)) if members == 1 else together < np.mean(alone)
    assert [note for note in NOTES if "several members" in note]
