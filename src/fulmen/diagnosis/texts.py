"""What each verdict means in words: its severity, a sentence with the evidence filled in, causes and cures."""

from typing import Literal, NamedTuple

Severity = Literal["ok", "note", "warning", "error"]


ONE_BATCH = "one batch alone: can it be learned?"


class Text(NamedTuple):
    severity: Severity
    finding: str  # a format string over the evidence
    causes: tuple[str, ...] = ()
    cures: tuple[str, ...] = ()


TEXTS: dict[str, Text] = {  # the gravest first
    "non_finite": Text(
        "error",
        "{what} is not finite; first in {where}",
        ("learning rate too high", "logarithm or division of 0", "half precision overflows"),
        ("a lower learning rate", "gradient clipping", "an epsilon inside log and division", "bf16 or fp32"),
    ),
    "diverged": Text(
        "error",
        "training loss {train:.3g} after {train_best:.3g} at best; {versus}",
        ("learning rate too high", "no gradient clipping", "bad batches"),
        ("a tenth of the learning rate", "gradient clipping", "warm-up"),
    ),
    "no_learning": Text(
        "error",
        "training loss is {train:.3g}; {versus}{frozen}",
        ("learning rate too low or far too high", "frozen parameters", "labels that do not belong to the inputs",
         "nothing to be learned"),
        ("a learning rate 10 times higher or lower", ONE_BATCH, "check the labels"),
    ),
    "exploding": Text(
        "error",
        "gradient norm up to {largest:.3g}, {median:.3g} in the median; {how}",
        ("no gradient clipping", "long recurrences", "learning rate too high"),
        ("trainer.gradient_clip_val=1", "a lower learning rate", "warm-up"),
    ),
    "vanishing": Text(
        "error",
        "the gradient of {first} is {ratio:.1e} times that of {last}",
        ("many saturating layers", "no residual connections", "poor initialisation"),
        ("residual connections", "ReLU or GELU", "normalisation layers", "fewer layers"),
    ),
    "dead_units": Text(
        "error",
        "{share:.0%} of the units in {layer} are 0 for every sample of the probe",
        ("learning rate too high", "negative biases", "inputs that are not centred"),
        ("LeakyReLU or GELU", "a lower learning rate", "default initialisation"),
    ),
    "saturated": Text(
        "warning",
        "{share:.0%} of the units in {layer} are saturated for nearly every sample",
        ("weights too large at the start", "inputs that are not scaled"),
        ("scaled inputs", "normalisation layers", "ReLU or GELU"),
    ),
    "validation_too_good": Text(
        "warning",
        "{how}",
        ("validation samples among the training samples", "training loss taken with dropout or augmentation",
         "an easier validation set"),
        ("split by group before anything else", "remove duplicates", "compare both losses in evaluation mode"),
    ),
    "class_collapse": Text(
        "error",
        "class {label} is found in {recall:.0%} of its {count} validation samples",
        ("imbalanced classes", "too little training", "learning rate too high"),
        ("a balanced sampler or loss", "logit adjustment", "more samples of that class"),
    ),
    "overfitting": Text(
        "warning",
        "validation loss {over} while training loss {trend}",
        ("a model too large for its data", "few or noisy samples", "too little regularisation", "too many epochs"),
        ("more data or augmentation", "weight decay or dropout", "a smaller model", "early stopping at epoch {since}"),
    ),
    "minority_overfitting": Text(
        "warning",
        "recall falls by {gap:.0f} points more from training to validation for the rare classes than for the others",
        ("few distinct samples, repeated often",),
        ("deferred balancing", "mixup or stronger augmentation", "logit adjustment instead of resampling"),
    ),
    "underfitting": Text(
        "warning",
        "training loss stays at {train:.3g}, {versus}, validation loss beside it{frozen}",
        ("too small a model", "too short a training", "poor features", "too much regularisation"),
        ("a larger model", "a higher learning rate", "better features", "less regularisation"),
    ),
    "small_validation_set": Text(
        "warning",
        "{samples} validation samples{precision}",
        ("the split leaves too little for validation",),
        ("a larger validation split", "cross-validation"),
    ),
    "small_classes": Text(
        "warning",
        "fewer than {needed} validation samples in {few} of {classes} classes, {least} in the rarest: their recall is "
        "mostly chance",
        ("rare classes and a small validation split",),
        ("a larger validation split", "cross-validation"),
    ),
    "miscalibrated": Text(
        "note",
        "confidence is {error:.0f} points above accuracy on average",
        ("training beyond the best epoch", "cross-entropy on a large model"),
        ("temperature scaling on the validation split", "label smoothing"),
    ),
    "underconfident": Text(
        "note",
        "confidence is {error:.0f} points below accuracy on average",
        ("a training that was too short", "label smoothing, mixed images or much dropout"),
        ("temperature scaling on the validation split", "more epochs", "less smoothing, mixing or dropout"),
    ),
    "undecided": Text(
        "note",
        "nothing is shown to be wrong, and no fit to be good: training loss went from {train_start:.3g} to "
        "{train:.3g}, validation loss from {val_start:.3g} to {val:.3g}",
        ("a short training", "losses that hardly move, or whose noise hides what they do"),
        ("more epochs", "a larger validation split"),
    ),
    "generalization_gap": Text(
        "note",
        "validation loss is {far}; {how}",
        ("a model large for its data", "validation samples unlike the training samples"),
        ("more data or augmentation", "weight decay or dropout"),
    ),
    "noisy_validation": Text(
        "warning",
        "validation loss jumps by {noise:.3g} from one validation to the next, {share:.0%} of {of}",
        ("few validation samples", "learning rate too high", "batches too small"),
        ("a larger validation split", "a lower learning rate", "larger batches", "averaged weights"),
    ),
    "updates_too_large": Text(
        "note",
        "a step changes the weights by {ratio:.2g} times their size, more than {bound:g}",
        ("learning rate too high", "weights too small at the start"),
        ("a tenth of the learning rate", "warm-up", "a learning rate for each layer"),
    ),
    "updates_too_small": Text(
        "note",
        "a step changes the weights by {ratio:.2g} times their size, less than {bound:g}",
        ("learning rate too low", "vanishing gradients", "frozen parameters"),
        ("a learning rate 10 times higher", "debug=overfit: can it learn one batch?", "a learning rate for each layer"),
    ),
    "still_improving": Text(
        "note",
        "validation loss still falls: {fall} over the last quarter of the run",
        ("too few epochs", "learning rate too low"),
        ("more epochs", "a higher learning rate"),
    ),
    "past_its_best": Text(
        "note",
        "validation loss is {over}, of epoch {since}",
        ("more epochs than the data have to teach", "too little regularisation"),
        ("the weights of epoch {since}", "early stopping", "fewer epochs or a larger weight decay"),
    ),
    "plateau": Text(
        "note",
        "validation loss has hardly improved since epoch {since}",
        ("converged", "learning rate too high to settle"),
        ("fewer epochs or early stopping", "a scheduler that lowers the learning rate"),
    ),
    "good_fit": Text("ok", "{how}: training {train:.3g}, validation {val:.3g}"),
    "different_units": Text(
        "note",
        "validation loss begins at {times:.3g} times the training loss, as in another unit: how far they are apart is "
        "not judged",
        ("a sum beside a mean", "percent beside shares", "different losses"),
        ("the same loss for both",),
    ),
    "one_curve": Text("note", "there is no {missing} loss, so overfitting and underfitting cannot be recognised"),
    "constant_curve": Text(
        "warning",
        "{which} at every check, to the last digit: nothing is judged by {them}",
        ("a column that is no loss", "a loss that is logged once and repeated", "weights that never change"),
        ("check what is logged",),
    ),
    "not_enough_data": Text("note", "{checks} of the {needed} validations that curves take to be judged"),
}  # fmt: skip
