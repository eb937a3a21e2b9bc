"""Every argument of Lightning's Trainer, ModelCheckpoint and EarlyStopping and of our callbacks: what comes of it.

`AS_LIGHTNING` means what Lightning's documents say, `OURS` what the docstring says. A text says how it differs, on
purpose. `Refused` is said before work starts when the argument is given another value than its default; what depends
on the rest of the config is refused in `fulmen.config.contradictions`, and the text here says when.
"""

from dataclasses import dataclass, field
from typing import Any

AS_LIGHTNING = "as Lightning"
OURS = "as documented"


@dataclass(frozen=True)
class Refused:
    """Why an argument cannot be given.

    Attributes:
        instead: what to type where it was to be switched off; {}: what was typed is only left out.
        renamed: the key that takes its value.
    """

    reason: str
    instead: dict[str, Any] = field(default_factory=dict)
    renamed: str = ""


TRAINER: dict[str, str | Refused] = {
    "accelerator": AS_LIGHTNING,
    "strategy": "auto and ddp with its variants; others are refused, since no run can take up what they leave",
    "devices": "-1 is refused where only CPUs are",
    "num_nodes": "above 1 is refused unless torchrun, SLURM or MASTER_ADDR has started the nodes",
    "precision": "auto besides: bfloat16 where the device computes in it",
    "logger": Refused("loggers have a part of the config of their own", {"logger": None}),
    "callbacks": Refused("callbacks have a part of the config of their own: callbacks.<name>._target_=..."),
    "fast_dev_run": AS_LIGHTNING,
    "max_epochs": "0 evaluates an untrained network and says so; -1 is refused for a schedule over all steps",
    "min_epochs": "above max_epochs it is refused",
    "max_steps": "refused where it ends before early stopping has anything to watch",
    "min_steps": "above max_steps it is refused",
    "max_time": AS_LIGHTNING,
    "limit_train_batches": "0 evaluates an untrained network and says so",
    "limit_val_batches": "0 is refused where early stopping or a scheduler watches the validation",
    "limit_test_batches": "limits test/loss; the summary in the report is of the whole test split",
    "limit_predict_batches": Refused("nothing here predicts by the Trainer"),
    "overfit_batches": "turns shuffling off for our loaders too; refused beside limit_train_batches",
    "val_check_interval": "batches or a share of an epoch; by the clock it is refused: no such run can be repeated",
    "check_val_every_n_epoch": "a plateau scheduler steps after validations",
    "num_sanity_val_steps": "0 by default",
    "log_every_n_steps": AS_LIGHTNING,
    "enable_checkpointing": Refused("the checkpoint of the best weights is a callback", {"callbacks.best": None}),
    "enable_progress_bar": Refused("the progress bar is a callback", {"callbacks.progress": None}),
    "enable_model_summary": Refused("the summary of the model is a callback", {"callbacks.summary": None}),
    "accumulate_grad_batches": "every step follows the mean over the samples it saw, also in a last, partial window",
    "gradient_clip_val": "below 0 it is refused (Lightning ignores it)",
    "gradient_clip_algorithm": AS_LIGHTNING,
    "deterministic": AS_LIGHTNING,
    "benchmark": AS_LIGHTNING,
    "inference_mode": AS_LIGHTNING,
    "use_distributed_sampler": "concerns loaders of torch; ours deal out the samples to the ranks themselves",
    "profiler": AS_LIGHTNING,
    "detect_anomaly": AS_LIGHTNING,
    "barebones": Refused("it turns off what a run folder is made of: logging, checkpoints, evaluation"),
    "plugins": "beside ours, which writes whole checkpoints or none",
    "sync_batchnorm": "refused for several processes on CPUs: torch has it for GPUs only",
    "reload_dataloaders_every_n_epochs": AS_LIGHTNING,
    "default_root_dir": Refused("everything of a run lies in output_dir", renamed="output_dir"),
    "enable_autolog_hparams": AS_LIGHTNING,
    "model_registry": Refused("models are kept by `fulmen models keep`"),
}
CHECKPOINT: dict[str, str | Refused] = {
    "dirpath": "a local folder; best.ckpt in the run folder is a link to, or a copy of, the best file",
    "filename": "files that would overwrite each other get epoch and step in their names; last is refused",
    "monitor": AS_LIGHTNING,
    "verbose": AS_LIGHTNING,
    "save_last": Refused("callbacks.exact_resume writes last.ckpt after every epoch"),
    "save_top_k": AS_LIGHTNING,
    "save_on_exception": AS_LIGHTNING,
    "save_weights_only": AS_LIGHTNING,
    "mode": "by default that of the metric; one that keeps the worst is refused",
    "auto_insert_metric_name": AS_LIGHTNING,
    "every_n_train_steps": "refused for a metric of the validation, which is that of other weights then",
    "train_time_interval": Refused("no run that saves by the clock can be repeated; every_n_train_steps can"),
    "every_n_epochs": AS_LIGHTNING,
    "save_on_train_epoch_end": AS_LIGHTNING,
    "enable_version_counter": "false by default: a run overwrites its best",
}
STOPPING: dict[str, str | Refused] = {
    "monitor": AS_LIGHTNING,
    "min_delta": AS_LIGHTNING,
    "patience": "10 by default",
    "verbose": AS_LIGHTNING,
    "mode": "by default that of the metric; one that stops at the best is refused",
    "strict": AS_LIGHTNING,
    "check_finite": AS_LIGHTNING,
    "stopping_threshold": AS_LIGHTNING,
    "divergence_threshold": AS_LIGHTNING,
    "check_on_train_epoch_end": "true is refused where epochs end without a validation",
    "log_rank_zero_only": AS_LIGHTNING,
}
CALLBACKS: dict[str, dict[str, str | Refused]] = {
    "accumulation.WindowMean": {},
    "best.BestInPlace": dict.fromkeys(("folder", "watched"), "given by the run"),
    "debug.FixedOrder": {},
    "diagnosis.Diagnosis": dict.fromkeys(
        ("stop_on", "train_loss", "val_loss", "expected_gain", "every", "ignore"), OURS
    ),
    "divergence.DivergenceStop": dict.fromkeys(("factor", "loss", "validation_loss"), OURS),
    "fitting.Horizon": {},
    "failure_demos.Fault": {},
    "failure_demos.FewSamples": dict.fromkeys(("train", "validation"), OURS),
    "failure_demos.Leak": {},
    "failure_demos.WrongTargets": dict.fromkeys(("names", "share", "seed"), OURS),
    "failure_demos.FrozenBackbone": {},
    "failure_demos.DeadStart": {"bias": OURS},
    "leaks.FindLeaks": dict.fromkeys(("mode", "ignore"), "given by the run"),
    "monitor.Monitor": dict.fromkeys(("steps", "epochs", "share", "images"), OURS),
    "outputs.SampleOutputs": {},
    "pruning.Pruning": dict.fromkeys(("study", "trial", "monitor", "reporter"), "given by the search"),
    "resume.ExactResume": {"folder": "another than <output_dir>/checkpoints is refused", "seed": OURS},
    "run_progress.RunProgress": dict.fromkeys(("folder", "watched"), "given by the run"),
    "scores.Scores": dict.fromkeys(("metrics", "classes", "prediction", "target", "training_samples"), OURS),
    "taken.TellTaken": {},
    "train_share.TrainShare": dict.fromkeys(("share", "seed"), OURS),
}
