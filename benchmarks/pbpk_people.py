"""What percentiles of many people cost: CPU seconds and the highest memory of `fulmen pbpk simulate --people`.

One oral drug, plasma at about 100 times over 48 hours, one thread; each command is a process of its own, and what
starting costs (some seconds, nearly a gigabyte for PyTorch and Lightning) is in what 1000 people take.

    python benchmarks/pbpk_people.py [--people 1000 100000] [--model NAME-or-run-folder]
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import multiprocessing
import resource
import tempfile
from pathlib import Path

HEAD = "compound,log_p,kind,pka,fraction_unbound,blood_plasma_ratio,hepatic_clearance_l_per_h,route,dose_mg,km_mg_per_l"
DRUG = "drug,3.3,base,6.2,0.03,0.66,23,oral,5,"
KINETICS = {"linear": DRUG, "saturable": f"{DRUG}1"}


def cost(words: list[str]) -> tuple[float, float]:
    """CPU seconds and MB of the command with these words."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(measured, (words,))


def measured(words: list[str]) -> tuple[float, float]:
    """The same, of this process."""
    from fulmen.cli import main

    assert main(["pbpk", "simulate", *words]) == 0
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, nargs="+", default=[1000, 100_000])
    parser.add_argument("--model", help="a surrogate to ask as well")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for kinetics, drug in KINETICS.items():
            table = Path(folder) / f"{kinetics}.csv"
            table.write_text(f"{HEAD}\n{drug}\n")
            asked = {"solver": []} | ({"surrogate": ["--model", arguments.model]} if arguments.model else {})
            for by, more in asked.items():
                for people in arguments.people:
                    words = [str(table), "--to", f"{folder}/bands.csv", "--people", str(people), *more]
                    seconds, mb = cost(words)
                    print(f"{kinetics}, {by}, {people:,} people: {seconds:.1f} CPU s, {mb:,.0f} MB", flush=True)


if __name__ == "__main__":
    main()
