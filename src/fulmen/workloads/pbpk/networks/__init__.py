"""Networks that map a subject's graph and a time grid to standardised log concentrations in 14 organs.

All share one interface, `fulmen.workloads.pbpk.contract.BodyNetwork`:
`forward(node [B, 14, 7], edge [B, 26, 3], context [B, 21], dosing [B, T, 3], time_h [T]) -> [B, 14, T]`.
"""

from fulmen.workloads.pbpk.networks.dynamic_gnn import DynamicGNN, MessagePassing
from fulmen.workloads.pbpk.networks.mlp import MLP
from fulmen.workloads.pbpk.networks.pod import POD

__all__ = ["MLP", "POD", "DynamicGNN", "MessagePassing"]
