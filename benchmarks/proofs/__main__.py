"""Run the proofs named, or all: `python -m benchmarks.proofs [name ...]`; exits with 1 if one does not hold."""

import importlib
import pkgutil
import sys

from benchmarks import proofs


def main(asked: list[str]) -> bool:
    there = sorted(module.name for module in pkgutil.iter_modules(proofs.__path__) if module.name != "__main__")
    if unknown := set(asked) - set(there):
        raise SystemExit(f"no proof {', '.join(sorted(unknown))}; there is {', '.join(there)}")
    held = {}
    for name in asked or there:
        print(f"== {name}", flush=True)
        held[name] = importlib.import_module(f"benchmarks.proofs.{name}").main()
    print("\n".join(f"{'holds' if held[name] else 'DOES NOT HOLD':14}{name}" for name in held))
    return all(held.values())


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
