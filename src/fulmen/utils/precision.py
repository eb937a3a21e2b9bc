"""`trainer.precision=auto`: bfloat16 autocast where the hardware computes in it, else single precision."""

from typing import Literal

AUTO = "auto"


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
