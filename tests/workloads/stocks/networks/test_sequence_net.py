"""Every network of stocks builds, learns and reloads, and a wrong one is named by its stage."""

import re
import subprocess
import sys

import pytest
import torch
import yaml
from torch import nn

from fulmen.config.schema import choices, project_root
from fulmen.errors import FulmenError
from fulmen.workloads.stocks.networks.activations import ACTIVATIONS
from fulmen.workloads.stocks.networks.layers import AdditiveAttention, BatchNorm, Recurrent, SelfAttention
from fulmen.workloads.stocks.networks.sequence_net import SequenceNet

NETWORKS = choices("network/stocks")
FEATURES = ["return", "range", "volume", "moving_average_20", "volatility_20"]
PARAMETERS = [31_265, 48_441, 69_073, 22_433, 302_337, 23_585, 99_297, 202_849, 43_809, 75_401,
              79_937, 60_481, 256_225, 193_057, 119_169, 210_721, 158_241, 532_881, 137_857, 301_633,
              143_281, 97_825, 87_841, 86_257, 95_857, 53_634, 156_193, 59_745, 146_881, 80_833]  # fmt: skip
FAMILIES = {"LSTM", "GRU", "bidirectional", "stacked", "residual", "attention and hybrids"}


def written(name):
    return (project_root() / "conf" / "network" / "stocks" / f"{name}.yaml").read_text()


def network(stages, **options):
    stages = yaml.safe_load(written(stages))["stages"] if isinstance(stages, str) else stages
    torch.manual_seed(0)
    return SequenceNet(**{"inputs": FEATURES, "stages": stages, **options})


def windows(batch=8, days=12):
    return torch.randn(batch, days, len(FEATURES), generator=torch.Generator().manual_seed(1))


def without_gradient(net, x):
    net(x).square().sum().backward()
    return [name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]


def test_there_are_30_networks_in_6_families():
    families = [re.search(r"^# (.+?): ", written(name), re.MULTILINE)[1] for name in NETWORKS]
    assert len(NETWORKS) == len(set(NETWORKS)) == 30
    assert set(families) == FAMILIES


@pytest.mark.parametrize(("name", "count"), list(zip(NETWORKS, PARAMETERS, strict=True)), ids=NETWORKS)
def test_architecture_has_its_parameters_and_each_gets_a_gradient(name, count):
    net = network(name)
    assert sum(p.numel() for p in net.parameters()) == count
    assert f"{count:,} parameters" in written(name)
    assert without_gradient(net, windows()) == []


@pytest.mark.parametrize("name", NETWORKS)
def test_architecture_forecasts_any_horizon_from_any_number_of_features(name):
    for horizon in (1, 30):
        net = network(name, inputs=["return"], horizon_days=horizon)
        assert net(windows(3)[..., :1]).shape == (3, horizon)


@pytest.mark.parametrize("init", ["torch", "keras"])
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activation_works_in_dense_convolutional_and_highway_stages(name, init):
    stages = [
        {"conv1d": 8},
        {"rnn": "lstm", "units": 8},
        {"highway": 1},
        {"rnn": "gru", "units": 8, "last": True},
        {"dense": 8},
    ]
    net = network(stages, activation=name, init=init)
    assert torch.isfinite(net(100 * windows())).all()
    assert without_gradient(net, windows()) == []


def test_there_are_15_activations_and_swish_is_silu():
    assert len(set(ACTIVATIONS.values())) == 15
    assert ACTIVATIONS["swish"] is ACTIVATIONS["silu"]


RELOAD = """
import sys, torch
from fulmen.workloads.stocks.networks.sequence_net import SequenceNet
for saved in torch.load(sys.argv[1], weights_only=True):
    net = SequenceNet(**saved["arguments"])
    net.load_state_dict(saved["state"])
    assert torch.allclose(net.eval()(saved["x"]), saved["y"], atol=1e-6)
    print(saved["name"])
"""


@pytest.mark.slow
@pytest.mark.usefixtures("warm_start")
def test_every_architecture_and_activation_reloads_in_a_fresh_process(tmp_path):
    cases = {name: {"stages": yaml.safe_load(written(name))["stages"]} for name in NETWORKS}
    cases |= {name: cases["28_cnn_lstm"] | {"activation": name} for name in ACTIVATIONS}
    saved = []
    for name, arguments in cases.items():
        net, x = network(**arguments).eval(), windows()
        arguments |= {"inputs": FEATURES}
        saved.append({"name": name, "arguments": arguments, "state": net.state_dict(), "x": x, "y": net(x).detach()})
    torch.save(saved, tmp_path / "saved.pt")
    command = [sys.executable, "-c", RELOAD, str(tmp_path / "saved.pt")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == list(cases), done.stderr


def test_attention_weights_vary_with_day_and_input_and_sum_to_one():
    torch.manual_seed(0)
    x = torch.randn(4, 20, 16)
    additive, multihead = AdditiveAttention(16).weights(x), SelfAttention(16, 4).weights(x)
    for weights in (additive, multihead):
        assert torch.allclose(weights.sum(-1), torch.ones(weights.shape[:-1]), atol=1e-6)
        assert weights.std(-1).min() > 1e-3
        assert weights.std(0).min() > 1e-4


def test_additive_attention_follows_its_formula():
    layer, x = AdditiveAttention(3), torch.randn(2, 5, 3)
    score = torch.tanh(x @ layer.score.weight[0] + layer.score.bias)
    weight = score.exp() / score.exp().sum(1, keepdim=True)
    assert torch.allclose(layer(x), 5 * weight[..., None] * x, atol=1e-6)


def test_the_last_state_reads_the_whole_window_in_both_directions():
    torch.manual_seed(0)
    layer, x = Recurrent("lstm", 3, 4, bidirectional=True, last=True), torch.randn(2, 6, 3)
    states, _ = layer.rnn(x)
    assert torch.equal(layer(x), torch.cat([states[:, -1, :4], states[:, 0, 4:]], -1))


def test_batch_norm_takes_a_single_vector():
    layer = BatchNorm(4)
    assert torch.isfinite(layer(torch.randn(1, 4))).all()
    x = torch.randn(6, 7, 4)
    assert torch.allclose(
        layer(x), nn.functional.batch_norm(x.flatten(0, 1), None, None, training=True).view_as(x), atol=1e-5
    )


def test_keras_start_has_forget_bias_one_and_orthogonal_recurrent_kernels():
    rnn = network([{"rnn": "lstm", "units": 6}], init="keras").stages.layers[0].rnn
    bias = rnn.bias_ih_l0 + rnn.bias_hh_l0
    assert bias.tolist() == [0] * 6 + [1] * 6 + [0] * 12
    for kernel in rnn.weight_hh_l0.chunk(4):
        assert torch.allclose(kernel @ kernel.T, torch.eye(6), atol=1e-5)


def test_taps_join_what_they_remember():
    stages = [{"tap": "x"}, {"dense": 5, "activation": "linear"}, {"add": "x"}, {"concat": "x"}, {"pool": "mean"}]
    net, x = network(stages), windows()
    dense = net.stages.layers[1]
    assert torch.allclose(net(x), net.head(torch.cat([x, dense(x) + x], -1).mean(1)), atol=1e-6)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([{"rn": "lstm", "units": 8}], "stage 1: there is no stage 'rn'; did you mean rnn"),
        ([{"rnn": "lstm", "units": 8}, {"dense": 8, "norm": "layer"}], "stage 2: one stage cannot be dense and norm"),
        ([{"rnn": "lstn", "units": 8}], r"stage 1 \(rnn: lstn\) is none of lstm, gru, rnn"),
        ([{"rnn": "lstm"}], r"stage 1 \(rnn: lstm\) needs a whole number of units above 0, got None"),
        ([{"rnn": "lstm", "unit": 8}], r"stage 1 \(rnn: lstm\) takes no unit; did you mean units"),
        (
            [{"rnn": "lstm", "units": 8, "last": True}, {"rnn": "gru", "units": 4}],
            r"stage 2 \(rnn: gru\) needs a sequence",
        ),
        (
            [{"rnn": "lstm", "units": 8}, {"tap": "a"}, {"add": "b"}],
            r"stage 3 \(add: b\) refers to a tap 'b'.*there is a",
        ),
        ([{"add": "b"}], "no stage before it taps anything"),
        ([{"tap": "a"}, {"dense": 8}, {"add": "a"}], "cannot add a sequence of 5 features to a sequence of 8 features"),
        ([{"tap": "a"}, {"pool": "mean"}, {"concat": ["a"]}], "cannot join a sequence of 5 features and a vector of 5"),
        ([{"attention": "multihead", "heads": 4}], "cannot share 5 features among 4 heads"),
        ([{"dense": 8, "activation": "rely"}], "there is no activation 'rely'; did you mean relu"),
        ([{"parallel": [[{"dense": 8}], [{"dens": 8}]]}], "stage 1, branch 2, stage 1: there is no stage 'dens'"),
        ([{"dropout": -1}], "needs a factor of 0 or more"),
        ([], "there is no stage"),
        (["dense"], r"stage 1: 'dense' is no mapping; write \{dense: \.\.\.\}"),
        ([{"rnn": "lstm", "units": 8, "last": "no"}], "needs true or false for last, got 'no'"),
        ([{"parallel": 3}], "needs a list of lists of stages"),
        ([{"tap": ["a"]}], "needs a name"),
    ],
    ids=str,
)
def test_a_wrong_stage_is_named_before_training(stages, message):
    with pytest.raises(FulmenError, match=message):
        network(stages)
