"""The help text of train.py: which experiments there are, what one can choose and change."""

import textwrap

from fulmen.config.comments import first_comment
from fulmen.config.places import SWEEP, TRAIN, conf_file
from fulmen.config.schema import choices, groups, shared_out
from fulmen.config.search import spaces_of_workloads

EXAMPLES = {
    "trainer.max_epochs=100": "train longer",
    "trainer.accelerator=gpu": "where to train: cpu, gpu, auto",
    "seed=7": "another seed",
    "data.dose_mg=50": "any argument of the data, the model, the trainer: <node>.<argument>=<value>",
    "model.optimizer.lr=3e-4": "",
    "callbacks.early_stopping=null": "switch a callback or a logger off",
    "debug=fast_dev_run": "one batch of everything: does it run?",
    "leaks=strict": "do not train where the data have a leak: off, scan, strict, deep, deep_strict",
    "resume=outputs/runs/<experiment>/<stamp>": "go on where a run stopped",
    "weights=<run folder> or pump@champion": "start a new run from other weights",
    "-m seed=1,2,3": "one run for each value, one after the other",
    "--cfg job": "show the config instead of running it",
}

SEARCH_EXAMPLES = {
    "search.trials=200": "how many trials in total; the same command again goes on to that number",
    "search.workers=2": "trials at a time",
    "search.isolate=true": "one process per trial: GPUs, DDP, memory",
    "search.pruner=median": "stop trials that fall behind: auto, hyperband, median, none",
    "'search.space.model.optimizer.lr={low:1e-4,high:1e-2,log:true}'": "vary: {low, high, log, step} or {choices}",
    "'search.each=network=*'": "a study for each choice of a config group",
    "'search.joint=network=*'": "the choice as one of the parameters",
    "'search.objectives={val/loss:min,parameters:min}'": "several objectives",
    "search.storage=postgresql://<user>@<host>/<database>": "the same command on many machines, one study",
    "search.name=<name>": "name of the search and its folder",
    "trainer.max_epochs=30": "anything that train.py takes, for every trial",
}


def help_text() -> str:
    """Experiments, groups with their choices, and the changes made every day."""
    return "\n".join([
        f"usage: {TRAIN} experiment=<name> [changes]",
        "",
        experiments_text(),
        "",
        "choices:",
        *_aligned(all_choices()),
        "",
        "changes, for example:",
        *_aligned({f"  {change}": meaning for change, meaning in EXAMPLES.items()}),
        "",
        f"all arguments of an experiment: {TRAIN} experiment=<name> --help",
        f"Hydra's own options: {TRAIN} --hydra-help",
    ])  # fmt: skip


def all_choices() -> dict[str, str]:
    """Every group with its choices; those of one workload have a line of their own."""
    found: dict[str, str] = {}
    for group in groups():
        if group in shared_out():
            found |= {f"  {group}= ({owner})": ", ".join(choices(f"{group}/{owner}")) for owner in shared_out()[group]}
        elif group != "experiment" and choices(group):
            found[f"  {group}="] = ", ".join(choices(group))
    return found


def search_help_text() -> str:
    """What `sweep.py` takes beside what `train.py` takes."""
    return "\n".join([
        f"usage: {SWEEP} experiment=<name> [search=<sampler>] [changes]",
        "",
        experiments_text(),
        "",
        "choices:",
        *_aligned({f"  search={name}": first_comment(conf_file(f"search/{name}.yaml"))
                   for name in choices("search")}),
        *_aligned({f"  search/space= ({owner})": ", ".join(names) for owner, names in spaces_of_workloads().items()}
                  | ({"  search/space=": ", ".join(own)} if (own := choices("search/space")) else {})),
        "",
        "changes, for example:",
        *_aligned({f"  {change}": meaning for change, meaning in SEARCH_EXAMPLES.items()}),
    ])  # fmt: skip


def experiments_text() -> str:
    """Every experiment with the comment that stands first in its file."""
    table = {
        f"  experiment={name}": first_comment(conf_file(f"experiment/{name}.yaml")) for name in choices("experiment")
    }
    return "\n".join(["experiments:", *_aligned(table)])


def _aligned(table: dict[str, str]) -> list[str]:
    width = max(map(len, table), default=0)
    return [
        line
        for left, right in table.items()
        for line in textwrap.wrap(right, 120, initial_indent=f"{left:{width}}  ",
                                  subsequent_indent=" " * (width + 2)) or [left]
    ]  # fmt: skip
