"""`trainer.precision=auto`: bfloat16 autocast where the hardware computes in it, else single precision."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

AUTO = "auto"
MIXED = {"bf16-mixed": "bfloat16"}  # what a CPU can do; half precision is for GPUs


def best_precision(accelerator: str = "auto") -> Literal["bf16-mixed", "32-true"]:
    """What `auto` stands for on this machine.

    Args:
        accelerator: as Lightning's Trainer takes it; its "auto" is a GPU where there is one.
    """
    return "bf16-mixed" if has_bf16(accelerator) else "32-true"


def has_bf16(accelerator: str = "auto") -> bool:
    """Whether the accelerator has instructions for bfloat16; emulated it is slower than single precision."""
    import torch

    if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if accelerator == "cpu" or (accelerator == "auto" and not torch.backends.mps.is_available()):
        can = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        return any(can.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))  # the last one: Arm
    return False


def in_precision(precision: str | None) -> AbstractContextManager[Any]:
    """Compute on the CPU in the precision of a run, where this CPU can; see `lost_precision`."""
    import torch

    if precision not in MIXED or not has_bf16("cpu"):
        return nullcontext()
    return torch.autocast("cpu", getattr(torch, MIXED[precision]))


def lost_precision(precision: str | None) -> str | None:
    """A sentence where `in_precision` cannot do what it is asked for; models are kept in single precision."""
    if precision is None or precision.startswith("32") or (precision in MIXED and has_bf16("cpu")):
        return None
    return f"the run computed in {precision}, this machine predicts in 32-true: the last digits differ"
