"""What `fulmen runs` and `fulmen clean` may be asked for, apart from what they do: cheap to import."""

ORDERS = ("created", "ended", "experiment", "network", "status", "epochs", "seconds", "name")  # of the list
COLUMNS = {  # of the list -> the attribute of an entry
    "run": "name", "kind": "kind", "experiment": "experiment", "network": "network", "status": "status",
    "overrides": "overrides", "tags": "tags", "tag": "tags", "note": "note", "epochs": "epochs", "seconds": "seconds",
    "created": "created", "ended": "ended", "verdict": "verdict", "message": "message", "data": "data",
    "done": "done", "total": "total", "job": "job", "archived": "archived", "name": "name", "path": "path",
}  # fmt: skip
KINDS = {
    "failed": "failed or diverged, or their files are damaged",
    "killed": "their process was killed",
    "begun": "nothing came of their start",
    "cache": "prepared data, made again when they are needed",
    "interrupted": "asked to stop, and can go on",
    "archived": "archived by hand",
}
USUAL = ("failed", "killed", "begun", "cache")
