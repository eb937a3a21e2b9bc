"""fulmen: PyTorch Lightning workloads composed by Hydra."""
