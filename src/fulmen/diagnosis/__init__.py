"""What training curves and a look into the network say about a training: verdicts with evidence, causes and cures."""

from fulmen.diagnosis.verdicts import Verdict, Verdicts, diagnose

__all__ = ["Verdict", "Verdicts", "diagnose"]
