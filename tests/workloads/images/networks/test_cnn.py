from functools import partial

import pytest
import torch
from helpers import differing
from torch import nn
from torchvision.models import densenet121, resnet18

from fulmen.errors import FulmenError
from fulmen.workloads.images.networks.cnn import AdvancedCNN, CosineHead, Pretrained, ResNet9, ResNet32
from fulmen.workloads.images.networks.whitened import WhitenedCNN, patches, whitening

IMAGE = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def parameters(network):
    return sum(each.numel() for each in network.parameters())


def test_parameter_counts_are_the_published_ones():
    assert parameters(AdvancedCNN()) == 1_278_218
    assert parameters(ResNet32()) == 464_154
    assert parameters(ResNet9()) == 6_573_130
    assert parameters(WhitenedCNN()) + WhitenedCNN().whitening.numel() == 1_972_792


@pytest.mark.parametrize("make", [AdvancedCNN, ResNet9, ResNet32, Pretrained, partial(Pretrained, "densenet121")])
@pytest.mark.parametrize("head", ["linear", "cosine"])
def test_every_network_gives_logits_and_gradients(make, head):
    network = make(classes=7, head=head)
    logits = network(IMAGE)
    assert logits.shape == (4, 7)
    logits.sum().backward()
    assert [name for name, each in network.named_parameters() if each.grad is None] == []


def test_pooling_before_the_rectifier_is_the_same_function():
    x = torch.randn(2, 8, 16, 16)
    pool = nn.MaxPool2d(2)
    assert torch.equal(pool(x).relu(), pool(x.relu()))


def test_the_cosine_head_is_blind_to_lengths():
    head = CosineHead(8, 3)
    x = torch.randn(5, 8)
    torch.testing.assert_close(head(x), head(7 * x))
    assert head(x).abs().max() <= 30


def test_wrong_sizes_are_refused():
    with pytest.raises(FulmenError, match="pixels is 30; it must be a whole number that is a multiple of 8"):
        AdvancedCNN(pixels=30)


@pytest.mark.parametrize(("name", "make"), [("resnet18", resnet18), ("densenet121", densenet121)])
def test_weights_of_torchvision_are_taken_from_a_file_and_the_stem_is_cut_to_its_middle(tmp_path, name, make):
    torch.manual_seed(0)
    theirs = make(weights=None)
    torch.save(theirs.state_dict(), tmp_path / "w.pt")
    published = Pretrained(name, 5, str(tmp_path / "w.pt"), stem="imagenet")
    published.load_weights()
    large = torch.randn(2, 3, 64, 64)
    head = {"resnet18": "fc", "densenet121": "classifier"}[name]
    setattr(theirs, head, nn.Identity())
    assert torch.equal(published.backbone.eval()(large), theirs.eval()(large))
    small = Pretrained(name, 5, str(tmp_path / "w.pt"))
    small.load_weights()
    stem, whole = (next(each for each in net.modules() if isinstance(each, nn.Conv2d)) for net in (small, theirs))
    assert torch.equal(stem.weight, whole.weight[:, :, 2:5, 2:5])


def test_weights_of_another_network_or_a_broken_file_are_refused(tmp_path):
    torch.save(densenet121(weights=None).state_dict(), tmp_path / "w.pt")
    with pytest.raises(FulmenError, match=r"does not fit resnet18: conv1\.weight is"):
        Pretrained("resnet18", weights=str(tmp_path / "w.pt")).load_weights()
    (tmp_path / "half.pt").write_bytes((tmp_path / "w.pt").read_bytes()[:1000])
    with pytest.raises(FulmenError, match=r"half\.pt is damaged or no plain checkpoint"):
        Pretrained("resnet18", weights=str(tmp_path / "half.pt")).load_weights()
    with pytest.raises(FulmenError, match="there is no file"):
        Pretrained("resnet18", weights=str(tmp_path / "none.pt")).load_weights()


def test_imagenet_weights_without_a_network_name_the_way_out(monkeypatch):
    def unreachable(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", unreachable)
    with pytest.raises(FulmenError, match=r"could not be downloaded \(no route to host\); give a local file"):
        Pretrained("resnet18", weights="imagenet").load_weights()


def test_a_frozen_backbone_learns_nothing_and_keeps_its_statistics():
    network = Pretrained("resnet18", 5)
    network.train()
    network.freeze(True)
    before = {name: value.clone() for name, value in network.backbone.state_dict().items()}
    network(IMAGE).sum().backward()
    assert [name for name, each in network.backbone.named_parameters() if each.grad is not None] == []
    assert network.head.weight.grad is not None
    assert differing(before, network.backbone.state_dict()) == []
    network.freeze(False)
    network(IMAGE).sum().backward()
    assert [name for name, each in network.backbone.named_parameters() if each.grad is None] == []
    assert network.backbone.training


def photographs(count=300):
    """Neighbouring pixels and channels that go together."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, 3, 12, 12, generator=generator).cumsum(2).cumsum(3).cumsum(1)


def test_patches_are_those_of_unfold():
    image = photographs(4)
    theirs = nn.functional.unfold(image, 2).transpose(1, 2).reshape(-1, 12)
    assert torch.equal(patches(image), theirs)


def test_whitened_patches_have_the_identity_as_covariance():
    rows = patches(photographs())
    assert (rows.T.cov() - torch.eye(12)).abs().max() > 10
    white = rows @ whitening(rows, epsilon=0.0).T
    torch.testing.assert_close(white.T.cov(), torch.eye(12), atol=1e-4, rtol=0)


def test_the_first_layer_whitens_both_ways_and_is_not_trained():
    network, image = WhitenedCNN(5, [8, 8, 8]), photographs()
    network.fit(image)
    seen = nn.functional.conv2d(image, network.whitening).permute(0, 2, 3, 1).reshape(-1, 24)
    assert torch.equal(seen[:, :12], -seen[:, 12:])
    torch.testing.assert_close(seen[:, :12].T.cov(), torch.eye(12), atol=1e-2, rtol=0)
    network(image).sum().backward()
    trained = {name for name, each in network.named_parameters() if each.grad is not None}
    assert "bias" in trained
    assert [name for name, _ in network.named_parameters() if "whitening" in name] == []


def test_biases_learn_faster_and_decay_as_slowly():
    network = WhitenedCNN(5, [8, 8, 8], bias_rate=64.0)
    filters, biases = network.groups(1.5, 0.002)
    assert set(filters) == {"params"}
    assert (biases["lr"], biases["lr"] * biases["weight_decay"]) == pytest.approx((96.0, 1.5 * 0.002))
    assert len(filters["params"]) + len(biases["params"]) == len(list(network.parameters()))
    assert {each.ndim for each in biases["params"]} == {1}


def test_convolutions_begin_by_passing_their_channels_on():
    first = WhitenedCNN().features[0][0]
    x = torch.randn(2, 24, 8, 8)
    torch.testing.assert_close(first(x)[:, :24], x)
