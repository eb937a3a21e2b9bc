"""What a prediction costs: counts and ratios that hold on any machine; `benchmarks/pbpk_inference.py` has the times."""

import time

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fulmen.workloads.pbpk.module import PBPKSurrogate
from fulmen.workloads.pbpk.networks import POD
from fulmen.workloads.pbpk.one_compartment import body_load
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.times import time_grid

DAY = time_grid(24.0, 100)[1:]
LONG = time_grid(72.0, 113, "stretched")[1:]  # 367 steps of the reduced model instead of 99


class Counted(TorchDispatchMode):
    """How many operations on tensors were called."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.calls += 1
        return operation(*args, **(kwargs or {}))


def calls(subjects, time_h):
    model, population = PBPKSurrogate(POD(times=len(time_h))).eval(), sample_population(subjects, seed=1)
    with torch.no_grad(), Counted() as counted:
        model.predict_population(population, time_h)
    return counted.calls


def test_one_prediction_takes_few_operations_whatever_the_number_of_steps():
    one = calls(1, DAY)
    assert one < 450
    assert calls(1, LONG) == one
    assert calls(12, DAY) == one


def cpu_seconds(subjects, reduced, repeats):
    """The least of some turns, in the CPU time of this process: other work on the machine lengthens few of them."""
    population, found = sample_population(subjects, seed=1), []
    for _ in range(repeats):
        begun = time.process_time()
        body_load(population, DAY, reduced=reduced)
        found.append(time.process_time() - begun)
    return min(found)


@pytest.mark.parametrize(("subjects", "times_faster"), [(1, 250), (4, 130), (300, 20)])
def test_the_reduced_model_costs_a_fraction_of_runge_kutta(subjects, times_faster):
    """One subject takes a 700th, since numbers are not put into arrays of length 1; with these it would be an 80th."""
    cpu_seconds(subjects, "exponential", 2)
    assert cpu_seconds(subjects, "runge_kutta", 2) > times_faster * cpu_seconds(subjects, "exponential", 20)
