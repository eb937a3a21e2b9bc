"""`python -m fulmen train experiment=pbpk_mlp`: every verb of `fulmen`, by the interpreter at hand."""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        sys.path.append(sys.path.pop(0))  # `-m` looks into the working directory first: what lies there hides nothing
    from fulmen.cli import main

    sys.exit(main())
