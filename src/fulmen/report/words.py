"""Metrics and settings as people say them: `test/roc_auc` is ROC-AUC."""

import re

WHOLE = {
    "roc_auc": "ROC-AUC", "pr_auc": "PR-AUC", "auroc": "AUROC", "r2_log": "R² (log)", "r2_oos": "R² out of sample",
    "auc_within_10_percent": "% of AUCs within 10 %", "cmax_within_10_percent": "% of Cmax within 10 %",
    "within_10_percent": "% within 10 %", "within_2_fold": "% within 2-fold", "dm_p": "p (Diebold-Mariano)",
    "dm": "Diebold-Mariano", "ece": "calibration error (ECE)", "worst_recall": "recall of the worst class",
    "many_recall": "recall (many)", "medium_recall": "recall (medium)", "few_recall": "recall (few)",
    "brier": "Brier score", "p": "p", "lr": "learning rate", "s": "training (s)", "seconds": "training (s)",
    "worst_organ_r2_log": "R² (log) of the worst organ", "skill": "skill against persistence",
    "content_above_2_percent": "% that hold more than absorbed", "balance_error_percent": "error of the balance (%)",
    "dose_error_percent": "error at 100 doses (%)",
}  # fmt: skip
PARTS = {
    "r2": "R²", "f1": "F1", "auc": "AUC", "gmfe": "GMFE", "rmse": "RMSE", "mae": "MAE", "mase": "MASE", "mse": "MSE",
    "cmax": "Cmax", "iou": "IoU", "giou": "GIoU", "log10": "log10", "p": "p",
}  # fmt: skip
UNITS = {"_mg_per_l": " (mg/L)", "_percent": " (%)"}
SPLITS = {"val": "validation", "train": "training", "test": "test"}


def spoken(name: str) -> str:
    """A metric or a column by its words; what is written in words already is left as it is.

    The test split is what a report is of, so only its loss is said to be of it.
    """
    best, _, rest = name.rpartition("best/") if "best/" in name else ("", "", name)
    if best or rest != name:
        return f"best {spoken(rest)}"
    split, _, metric = name.rpartition("/")
    if split in SPLITS:
        words = _metric(metric)
        return words if split == "test" and metric != "loss" else f"{SPLITS[split]} {words}"
    return _metric(name) if re.fullmatch(r"[a-z][a-z0-9_]*", name) else name


def _metric(name: str) -> str:
    if name in WHOLE:
        return WHOLE[name]
    unit = next((mark for mark in UNITS if name.endswith(mark)), "")
    parts = name.removesuffix(unit).split("_") if unit else name.split("_")
    return " ".join(PARTS.get(part, part) for part in parts) + UNITS.get(unit, "")


def sentence(text: str) -> str:
    """`text` with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def counted(count: int, one: str, many: str = "") -> str:
    """`1 run`, `3 runs`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
