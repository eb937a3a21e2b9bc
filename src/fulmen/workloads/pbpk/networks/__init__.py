"""Networks that map a subject's graph and a time grid to standardised log concentrations in 14 organs.

All share one interface, `fulmen.workloads.pbpk.contract.BodyNetwork`:
`forward(node [B, 14, 7], edge [B, 26, 3], context [B, 21], dosing [B, T, 3], time_h [T]) -> [B, 14, T]`.
The neural ODE stands apart in `neural_ode.py`, which imports torchdiffeq.
"""

from fulmen.workloads.pbpk.networks.basis_gnn import BasisGNN
from fulmen.workloads.pbpk.networks.dynamic_gnn import DynamicGNN
from fulmen.workloads.pbpk.networks.lstm import LSTM
from fulmen.workloads.pbpk.networks.messages import MessagePassing
from fulmen.workloads.pbpk.networks.mlp import MLP
from fulmen.workloads.pbpk.networks.pod import POD

__all__ = ["LSTM", "MLP", "POD", "BasisGNN", "DynamicGNN", "MessagePassing"]
