"""What the stages of a `SequenceNet` are made of. Sequences are [B, T, C], vectors [B, C]."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from fulmen.workloads.stocks.networks.gru import GRU

CELLS: dict[str, Callable[..., nn.RNNBase]] = {"lstm": nn.LSTM, "gru": GRU, "rnn": nn.RNN}


class Recurrent(nn.Module):
    """One recurrent layer: all its states [B, T, C], or the last one of each direction [B, C]."""

    def __init__(self, cell: str, inputs: int, units: int, bidirectional: bool, last: bool):
        super().__init__()
        self.rnn = CELLS[cell](inputs, units, batch_first=True, bidirectional=bidirectional)
        self.last = last

    def forward(self, x: Tensor) -> Tensor:
        states, end = self.rnn(x)
        if not self.last:
            return states
        end = end[0] if isinstance(end, tuple) else end  # [directions, B, units]
        return end.transpose(0, 1).flatten(1)


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation of features, of all days of a sequence together; one single vector keeps to the averages."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.numel() == self.num_features:
            return nn.functional.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        return super().forward(x.flatten(0, -2)).view_as(x)


class Convolution(nn.Module):
    """Convolution over time that keeps the length."""

    def __init__(self, inputs: int, channels: int, kernel: int, activation: nn.Module):
        super().__init__()
        self.convolution = nn.Conv1d(inputs, channels, kernel, padding="same")
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.convolution(x.transpose(1, 2)).transpose(1, 2))


class AdditiveAttention(nn.Module):
    """Weighs the days of a sequence: y_t = T a_t x_t with a = softmax over t of tanh(w x_t + b).

    The factor T keeps the mean size of the states.
    """

    def __init__(self, features: int):
        super().__init__()
        self.score = nn.Linear(features, 1)

    def weights(self, x: Tensor) -> Tensor:
        """a: [B, T, C] -> [B, T], rows sum to 1."""
        return self.score(x).tanh().squeeze(-1).softmax(-1)

    def forward(self, x: Tensor) -> Tensor:
        return x * (self.weights(x) * x.shape[1])[..., None]


class SelfAttention(nn.Module):
    """Multi-head self-attention over time with a residual: y = LayerNorm(x + MHA(x)) (Vaswani et al. 2017)."""

    def __init__(self, features: int, heads: int):
        super().__init__()
        self.attention = nn.MultiheadAttention(features, heads, batch_first=True)
        self.norm = nn.LayerNorm(features)

    def weights(self, x: Tensor) -> Tensor:
        """Means over the heads: [B, T, C] -> [B, T, T], rows sum to 1."""
        return self.attention(x, x, x, need_weights=True)[1]

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x + self.attention(x, x, x, need_weights=False)[0])


class Highway(nn.Module):
    """y = g f(W x + b) + (1 - g) x with g = sigmoid(V x + c) (Srivastava et al. 2015)."""

    def __init__(self, features: int, activation: nn.Module):
        super().__init__()
        self.gate = nn.Linear(features, features)
        self.transform = nn.Linear(features, features)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.sigmoid(self.gate(x)) * (self.activation(self.transform(x)) - x)


class Pool(nn.Module):
    """A sequence [B, T, C] as one vector [B, C]: its last, mean or largest state."""

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        return {"last": lambda: x[:, -1], "mean": lambda: x.mean(1), "max": lambda: x.amax(1)}[self.kind]()


@torch.no_grad()
def keras_init(network: nn.Module) -> None:
    """Start as Keras does: Glorot-uniform kernels, orthogonal recurrent kernels, zero biases, forget bias 1."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv1d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.RNNBase):
            for name, parameter in layer.named_parameters():
                if "bias" in name:
                    nn.init.zeros_(parameter)
                    if isinstance(layer, nn.LSTM) and "bias_ih" in name:  # gates: input, forget, cell, output
                        parameter[layer.hidden_size : 2 * layer.hidden_size] = 1
                    continue
                for gate in parameter.chunk(len(parameter) // layer.hidden_size):
                    (nn.init.orthogonal_ if "weight_hh" in name else nn.init.xavier_uniform_)(gate)
