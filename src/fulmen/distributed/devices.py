"""Whether a run takes several processes, as its config says before anything is built."""

from omegaconf import DictConfig

from fulmen.errors import FulmenError


def takes_several_processes(trainer: DictConfig) -> bool:
    """Whether a Trainer with these arguments starts, or is one of, several processes."""
    if str(trainer.get("strategy", "auto")).startswith(("ddp", "fsdp", "deepspeed")) or trainer.get("num_nodes", 1) > 1:
        return True
    devices, accelerator = trainer.get("devices", "auto"), trainer.get("accelerator", "auto")
    if devices in (-1, "-1", "auto"):
        import torch

        return accelerator != "cpu" and torch.cuda.device_count() > 1
    if isinstance(devices, str):
        devices = devices.split(",") if "," in devices else int(devices)
    return (devices if isinstance(devices, int) else len(devices)) > 1


def refuse_unless_here(trainer: DictConfig, what: str) -> None:
    """Pass if all processes of a run are started on this machine.

    Raises:
        FulmenError: others take part, which `what` (a multirun, folds) cannot start anew for each of its runs.
    """
    if trainer.get("num_nodes", 1) > 1:
        raise FulmenError(f"{what} cannot go through runs over several machines: start each run by itself")
