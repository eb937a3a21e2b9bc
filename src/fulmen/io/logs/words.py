"""What the name of a column says: training or validation, which quantity, and which way is better."""

import re
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import combining, normalize

TRAINING = (
    "train",
    "training",
    "trainings",
    "trainierung",
    "entrainement",
    "entrenamiento",
    "treino",
    "addestramento",
    "tr",
    "trn",
    "fit",
    "learn",
    "insample",
)
VALIDATION = (
    "val",
    "valid",
    "validation",
    "validierung",
    "validierungs",
    "validacion",
    "validacao",
    "validazione",
    "validate",
    "eval",
    "evaluation",
    "dev",
    "heldout",
    "holdout",
    "va",
)
TESTING = ("test", "testing", "tst", "te", "outsample", "oos")  # only where there is no validation
PARTS = {word: part for part, each in (("train", TRAINING), ("val", VALIDATION), ("test", TESTING)) for word in each}

LOSSES = ("loss", "nll", "crossentropy", "xent", "ce", "bce", "logloss", "mlogloss", "mse", "rmse", "mae", "error",
          "err", "merror", "deviance", "perplexity", "ppl", "cost", "objective", "l2", "l1", "rmsle", "mape", "smape",
          "wape", "mase", "msle", "huber", "hinge", "multiclass", "wer", "cer", "fid", "bpc", "bpb", "bpd", "kld",
          "brier", "ece", "medae")  # fmt: skip
# Higher is better: what they leave to 1, or to 100 where they are per cent.
SHARES = ("accuracy", "acc", "acc1", "acc5", "top1", "top5", "auc", "auroc", "rocauc", "roc", "auprc", "aucpr", "prauc",
          "ap", "map", "f1", "f1score", "fscore", "fbeta", "precision", "recall", "dice", "iou", "miou", "jaccard",
          "specificity", "sensitivity", "tpr", "ndcg", "mrr", "hits", "hit", "bleu", "rouge", "meteor", "em",
          "top")  # fmt: skip
# Higher is better, the best is 1 and there may be values below 0.
ONES = ("r2", "rsquared", "mcc", "matthews", "kappa", "qwk", "ssim", "spearman", "pearson", "corr", "correlation",
        "gini", "ccc", "nse")  # fmt: skip
# Higher is better, without an end.
SIGNS = ("likelihood", "loglikelihood", "logprob", "logp", "elbo", "psnr", "snr", "reward", "return", "cider")
HIGHER = {word: turn for turn, each in (("share", SHARES), ("one", ONES), ("sign", SIGNS)) for word in each}
NEUTRAL = {"total", "avg", "average", "mean", "epoch", "overall", "s", "set", "metrics", "current", "of",
           "the", "per", "value", "batch", "on", "end", "running", "all", "curve", "history", "at", "after", "over",
           "in", "for", "data", "final", "scalar", "scalars", "metric", "eval", "monitor"}  # fmt: skip
NO_CURVE = {"best", "min", "max", "minimum", "maximum", "std", "stderr", "stdev", "var", "lower", "upper", "runtime",
            "seconds", "time", "lr", "patience", "improved", "delta", "norm", "samples", "weight", "count", "scale",
            "target", "threshold", "name", "fn", "function", "type"}  # fmt: skip
OTHER_TONGUES = {  # without accents
    "trainings": "train", "entrainement": "train", "entrenamiento": "train", "treinamento": "train", "treino": "train",
    "addestramento": "train", "训练": "train", "validierungs": "val", "validierung": "val", "validacion": "val",
    "validacao": "val", "validazione": "val", "验证": "val", "测试": "test", "verlust": "loss", "perte": "loss",
    "perdida": "loss", "perda": "loss", "perdita": "loss", "损失": "loss", "fehler": "error", "erreur": "error",
    "обучен": "train", "обучающ": "train", "валидац": "val", "тестов": "test", "потери": "loss", "ошибка": "error",
    "эпоха": "epoch", "egitim": "train", "dogrulama": "val", "kayip": "loss", "kayıp": "loss", "uczenie": "train",
    "treningow": "train", "walidac": "val", "訓練": "train", "学習": "train", "検証": "val", "損失": "loss",
    "훈련": "train", "학습": "train", "검증": "val", "손실": "loss",
    "genauigkeit": "accuracy", "exactitude": "accuracy", "准确率": "accuracy", "轮次": "epoch",
}  # fmt: skip
AXES = ("epoch", "epochs", "ep", "step", "steps", "iter", "iters", "iteration", "iterations", "round", "rounds",
        "globalstep", "tree", "trees")  # fmt: skip
EPOCHS = (
    "epoch",
    "epochs",
    "epoche",
    "epochen",
    "epoque",
    "epoca",
    "epocas",
    "ep",
    "epochnumber",
    "epochno",
    "currentepoch",
    "trainerepoch",
    "trainepoch",
    "numepoch",
)
STEPS = ("step", "steps", "globalstep", "trainerglobalstep", "trainglobalstep", "iter", "iters", "iteration",
         "iterations", "round", "rounds", "boostinground", "tree", "trees", "batch", "updates", "update", "numupdates",
         "tokens", "itr", "trainstep", "trainingstep")  # fmt: skip


@dataclass(frozen=True)
class Meaning:
    """What a name says of a curve.

    Attributes:
        part: train, val, test, or "" if the name does not say.
        quantities: its words that name a loss or a metric.
        rest: all its words but those of the part and those that say nothing; curves of one quantity have it in common.
        turn: "" where lower is better; share, one or sign where higher is, by what becomes of it; ? if unknown.
    """

    part: str
    quantities: frozenset[str]
    rest: frozenset[str]
    turn: str

    @property
    def bare(self) -> bool:
        """Whether the name is that of a part and says no quantity."""
        return bool(self.part) and not self.quantities and not self.rest


def in_english(name: str) -> str:
    """Without accents, and words of other languages as those here."""
    name = normalize("NFC", "".join(sign for sign in normalize("NFKD", name) if not combining(sign)))
    lower = name.lower()
    for other in OTHER_TONGUES:
        if other in lower:
            name = re.sub(other, f" {OTHER_TONGUES[other]} ", name, flags=re.IGNORECASE)
    return name


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """`trainLoss`, `train_losses`, `trainloss` as train, loss; cross entropy is one word, `Acc@1` is acc1."""
    name = in_english(name)
    spaced = re.sub(r"([a-z0-9])([A-Z][a-z])|([a-z])([A-Z])", r"\1\3_\2\4", name.replace("mAP", "map")).lower()
    for pattern, word in (
        (r"cross[^a-z0-9]*entropy", "crossentropy"), (r"log[^a-z0-9]*loss", "logloss"), (r"losses", "loss"),
        (r"errors", "error"), (r"held[^a-z0-9]*out", "heldout"), (r"hold[^a-z0-9]+out", "holdout"),
        (r"r[^a-z0-9]*squared|r\^2|r²|r2_?score", "r2"), (r"in[^a-z0-9]+sample", "insample"),
        (r"out[^a-z0-9]+(of[^a-z0-9]+)?sample", "outsample"), (r"log[^a-z0-9]+prob\w*", "logprob"),
        (r"(acc|top|f|hits?)[@\-_ ](?=\d\b)", r"\1"), (r"m?ap[@_]?50([^a-z0-9]*95)?", "map"),
    ):  # fmt: skip
        spaced = re.sub(pattern, word, spaced)
    found: list[str] = []
    for word in re.split(r"[^a-z0-9]+", spaced):
        found += _parted(word)
    return tuple(found)


def _parted(word: str) -> list[str]:
    """`trainloss` as train, loss; `valid1` as valid, 1."""
    if not word or word in PARTS:
        return [word] if word else []
    for part in sorted(PARTS, key=len, reverse=True):
        after = word.removeprefix(part)
        if after != word and (after in LOSSES or after in HIGHER or after.isdigit() or after in ("step", "epoch")):
            return [part, after]
    if word[:1] in "vt" and word[1:] in ("loss", "acc", "accuracy"):
        return [{"v": "val", "t": "train"}[word[0]], word[1:]]
    return [word]


@lru_cache(maxsize=4096)
def meaning(name: str, part: str = "") -> Meaning:
    """What `name` says; `part` stands where the name has none."""
    each = words(name)
    told = [PARTS[word] for word in each if word in PARTS]
    own = told[-1] if told else part  # the last says it: `training/val_loss`, `eval_train_loss`
    quantities = frozenset(word for word in each if word in LOSSES or word in HIGHER)
    if "logloss" in each or "mlogloss" in each:
        quantities |= {"logloss"}
    rest = frozenset(word for word in each if word not in PARTS and word not in NEUTRAL)
    rest -= {"score"} if quantities else set()
    return Meaning(own, quantities, rest, _turn(each))


def _turn(each: tuple[str, ...]) -> str:
    likelihood = any("likelihood" in word or word in ("logprob", "logp", "elbo") for word in each)
    lower = any(word in LOSSES for word in each)
    if each and {"neg", "negative", "minus"} & set(each):
        return "" if likelihood else ("sign" if lower or {"squared", "absolute"} & set(each) else "?")
    if lower:
        return ""
    return next((HIGHER[word] for word in each if word in HIGHER), "?")


def plain(name: str) -> str:
    """Letters and digits alone, in small letters: `Global Step` is globalstep, `Époque` epoque."""
    return re.sub(r"[^a-z0-9]+", "", in_english(name).lower())


def part_of(text: str) -> str:
    """train, val or test if a cell says nothing but that (`Training`, `valid`, `test set`), else ""."""
    found = {
        PARTS.get(word, "") for word in words(text) if word not in ("set", "split", "phase", "mode", "data", "loop")
    }
    return found.pop() if len(found) == 1 else ""
