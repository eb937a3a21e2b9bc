import pytest
import torch
from torch.nn.functional import cross_entropy, nll_loss
from torchvision.ops import sigmoid_focal_loss

from fulmen.errors import FulmenError
from fulmen.workloads.images.losses import LDAM, CrossEntropy, Focal, LogitAdjusted, class_weights

COUNTS = torch.tensor([10, 100, 1000])
LOGITS = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
LABEL = torch.arange(64) % 3


def fitted(loss):
    loss.fit(COUNTS)
    return loss


def test_cross_entropy_is_torchs():
    expected = cross_entropy(LOGITS, LABEL, reduction="none", label_smoothing=0.1)
    assert torch.equal(CrossEntropy(3, label_smoothing=0.1)(LOGITS, LABEL), expected)


def test_weights_follow_their_formulas_and_leave_the_mean_loss_of_the_training_part():
    for kind, raw in (("inverse", 1 / COUNTS), ("effective", (1 - 0.999) / (1 - 0.999 ** COUNTS.double()))):
        weights = class_weights(COUNTS, kind, 0.999)
        torch.testing.assert_close(weights / weights[0], (raw / raw[0]).float())
        assert float((weights * COUNTS).sum() / COUNTS.sum()) == pytest.approx(1)


def test_weighted_cross_entropy_is_torchs_up_to_its_normalisation():
    loss = fitted(CrossEntropy(3, weights="inverse"))(LOGITS, LABEL)
    weights = class_weights(COUNTS, "inverse", 0.0)
    expected = cross_entropy(LOGITS, LABEL, weight=weights)
    torch.testing.assert_close(loss.sum() / weights[LABEL].sum(), expected)


def test_deferred_weights_start_at_their_share():
    loss, plain = fitted(CrossEntropy(3, weights="inverse", defer=0.75)), CrossEntropy(3)
    full = fitted(CrossEntropy(3, weights="inverse"))
    for epoch in range(4):
        expected = full if epoch == 3 else plain
        assert torch.equal(loss(LOGITS, LABEL, epoch / 4), expected(LOGITS, LABEL, epoch / 4))


def test_focal_loss_is_torchvisions_for_two_classes():
    """Softmax over (0, x) is the sigmoid of x."""
    x = LOGITS[:, :1]
    label = LABEL % 2
    ours = Focal(2, gamma=2.0)(torch.cat([torch.zeros_like(x), x], 1), label)
    theirs = sigmoid_focal_loss(x[:, 0], label.float(), alpha=-1, gamma=2.0)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(Focal(3, gamma=0.0)(LOGITS, LABEL), cross_entropy(LOGITS, LABEL, reduction="none"))


def test_a_certain_prediction_has_a_finite_focal_gradient():
    logits = torch.tensor([[200.0, 0.0, 0.0]], requires_grad=True)
    Focal(3, gamma=0.5)(logits, torch.tensor([0])).sum().backward()
    assert torch.isfinite(logits.grad).all()


def test_balanced_softmax_is_a_softmax_weighted_by_counts():
    weighted = COUNTS * LOGITS.exp()
    expected = nll_loss((weighted / weighted.sum(1, keepdim=True)).log(), LABEL, reduction="none")
    torch.testing.assert_close(fitted(LogitAdjusted(3))(LOGITS, LABEL), expected)
    torch.testing.assert_close(fitted(LogitAdjusted(3, tau=0.0))(LOGITS, LABEL), CrossEntropy(3)(LOGITS, LABEL))


def test_ldam_takes_the_largest_margin_from_the_smallest_class():
    loss = fitted(LDAM(3, max_margin=0.5, scale=30.0, weights="none"))(LOGITS, LABEL)
    margins = 0.5 * (COUNTS / 10.0) ** -0.25
    changed = LOGITS.clone()
    for i, c in enumerate(LABEL.tolist()):
        changed[i, c] -= 30 * margins[c]
    torch.testing.assert_close(loss, cross_entropy(changed, LABEL, reduction="none"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CrossEntropy(3, label_smoothing=1.0), r"label_smoothing is 1\.0"),
        (lambda: CrossEntropy(3, beta=1.5), r"beta is 1\.5"),
        (lambda: Focal(3, gamma=-1.0), r"gamma is -1\.0"),
        (lambda: LDAM(3, max_margin=0.0), r"max_margin is 0\.0"),
    ],
)
def test_impossible_settings_are_refused(make, message):
    with pytest.raises(FulmenError, match=message):
        make()
