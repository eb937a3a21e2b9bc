"""What a network is made of, in a line at the start of a training."""

from collections import Counter

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelSummary
from lightning.pytorch.utilities.model_summary import get_human_readable_count
from torch import nn
from torch.nn.parameter import is_lazy

SHOWN = 4  # parts


class ShortSummary(ModelSummary):
    """Prints `network DynamicGNN: gru 14.2 K, read_time 4.2 K, messages 1.4 K, initial 1.1 K, 9 smaller parts 1.8 K`.

    The table of all modules is `callbacks.summary._target_=lightning.pytorch.callbacks.RichModelSummary`.

    Args:
        max_depth: levels below the model whose parts are told apart: 1 the network as a whole, 2 what it is made of;
            0 prints nothing.
    """

    def __init__(self, max_depth: int = 2):
        super().__init__(max_depth)
        self.max_depth = max_depth

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.max_depth and trainer.is_global_zero:
            print(described(pl_module, self.max_depth), flush=True)


def described(model: nn.Module, depth: int = 2) -> str:
    """The largest parts of a model with their numbers of parameters, and how many of these are frozen."""
    sizes: Counter[str] = Counter()
    frozen = 0
    for name, parameter in model.named_parameters():
        count = 0 if is_lazy(parameter) else parameter.numel()
        sizes[".".join(name.split(".")[:-1][:depth])] += count
        frozen += 0 if parameter.requires_grad else count
    network = dict(model.named_children()).get("network", model)
    largest = sizes.most_common(SHOWN if len(sizes) > SHOWN + 1 else None)
    parts = [f"{name.removeprefix('network.')} {_human(size)}" for name, size in largest if name not in ("", "network")]
    if rest := len(sizes) - len(largest):
        parts.append(f"{rest} smaller parts {_human(sizes.total() - sum(size for _, size in largest))}")
    told = f"network {type(network).__name__}: {', '.join(parts) or f'{sizes.total():,} parameters'}"
    return f"{told}; {frozen:,} of {sizes.total():,} parameters are frozen" if frozen else told


def _human(count: int) -> str:
    return " ".join(get_human_readable_count(count).split())
