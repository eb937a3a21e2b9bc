"""Images in memory, the training split made unequal, split and dealt by a sampler."""

import hashlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold, train_test_split
from torch import Generator, Tensor

from fulmen.config.allow_list import locate
from fulmen.config.signatures import parameters
from fulmen.data.batches import BatchLoader
from fulmen.data.cache import Arrays, cache_folder, cached, fingerprint
from fulmen.data.leaks.content import content_hashes
from fulmen.data.leaks.samples import TEST, Samples, joined
from fulmen.errors import FulmenError
from fulmen.io import arrays as arrays_of_files
from fulmen.io.content import Content, Recognised
from fulmen.io.hints import override
from fulmen.io.taken import Taken, files_in_words
from fulmen.workload import WorkloadData
from fulmen.workloads.images import (
    array_file,
    copies,
    folders,
    in_config,
    pictures,
    pixels,
    recognising,
    shares,
    sources,
)
from fulmen.workloads.images import imbalance as unequal
from fulmen.workloads.images import labels as labels_as_kept
from fulmen.workloads.images.array_file import Reading
from fulmen.workloads.images.metrics import absent_classes
from fulmen.workloads.images.samplers import Shuffle
from fulmen.workloads.images.shares import taken_of

JUDGED_TWICE = " test images are training images too"  # in a doubt of `copies.said_of`
TWO_SIDES = "; both may stand on the two sides of a validation split"
Sampler = Callable[[Tensor, Generator, float], Tensor]


class ImagesData(WorkloadData):
    """Small images with labels: scikit-learn's digits, or `arrays`, a `folder` of pictures, or CIFAR-10.

    A batch holds `image` uint8 [B, 3, H, W], `label` [B] and `item` [B], the place of the image in its source. The
    imbalance takes images away from what is there for training; the validation split is then split off class by class,
    so it is as unequal as the training split. The test split stays as it is.

    Args:
        arrays: an .npz with x_train, x_test uint8 [N, H, W, 3] and y_train, y_test; what else it may hold, and how it
            is read, docs/images.md says.
        folder: of pictures in folders of their classes, or of `train` and `test` with these in them.
        cifar10: take CIFAR-10, downloaded once.
        classes: C; null: as many as the file or the folder has.
        names: of the classes, for tables and figures.
        imbalance: which images of each class stay; see `imbalance.py`. None keeps all.
        imbalance_seed: of the draw, so that runs of different seeds share their images.
        validation: share of the training images.
        fold: number of a stratified fold, from 0, that is the validation split instead; null for the share.
        folds: number of folds.
        fold_tests: the fold is the test split, and the validation split the share of the rest: the test images of the
            source stay unseen, as a ranking by folds needs it.
        sampler: order and frequency of the training images; see `samplers.py`. Every image once by default.
        photographs: whether an image is as good when mirrored; who augments asks. Digits are not.
        original_protocol: validate on the test split, as the published exercise did. Its test results are too good.
        batch_size: images per training batch.
        seed: of the order of the batches.
        cache: folder of the prepared arrays; `outputs/cache` by default.
        columns: which array of the file is which, `{x_train: images}`.
        labels: "names" takes each label of the file as the name of a class; "auto" counts them from 0 where they do.
        channels: which axis of the arrays holds the channels, where it could be the second ("first") or the last.
        pixel_range: the values of black and white in the file, `[0, 1]`; null: found out.
        test: share of the images to test on, where the file or the folder has none to test (or in place of those); of a
            folder 0.2 if null.
        size: pixels on each side, or height and width, to which the pictures of a folder are resized.
        leave_out_copies: do without images of the validation split that equal a training image, and of the test split
            that equal one of either.

    Attributes:
        counts: images per class [C] in the training split.
    """

    reads = "arrays"

    @classmethod
    def recognises(cls, content: Content, arguments: Mapping[str, Any]) -> Recognised | None:
        return recognising.recognised(content, arguments)

    fold_arguments: ClassVar = {"fold_tests": True}

    def __init__(
        self,
        arrays: str | None = None,
        cifar10: bool = False,
        classes: int | None = None,
        names: Sequence[str] | None = None,
        imbalance: unequal.Imbalance | None = None,
        imbalance_seed: int = 0,
        validation: float = 0.1,
        fold: int | None = None,
        folds: int = 5,
        fold_tests: bool = False,
        sampler: Sampler | None = None,
        photographs: bool = False,
        original_protocol: bool = False,
        batch_size: int = 128,
        seed: int = 42,
        cache: str | None = None,
        folder: str | None = None,
        columns: Mapping[str, str] | None = None,
        labels: Literal["auto", "names"] = "auto",
        channels: Literal["auto", "first", "last"] = "auto",
        pixel_range: Sequence[float] | None = None,
        test: float | None = None,
        size: int | Sequence[int] | None = None,
        leave_out_copies: bool = False,
    ):
        super().__init__(batch_size, seed)
        named = [name for name, one in (("arrays", arrays), ("folder", folder), ("cifar10", cifar10)) if one]
        if len(named) > 1:
            raise FulmenError(f"{' and '.join(named)} exclude each other: choose one source of images")
        if arrays and not Path(arrays).exists():
            raise FulmenError(f"arrays: there is no file {arrays}")
        if folder and not Path(folder).exists():
            raise FulmenError(f"folder: there is no folder {folder}")
        if arrays and Path(arrays).is_dir():
            raise FulmenError(
                f"arrays: {arrays} is a folder; for pictures in it: data=image_folder data.folder={arrays}"
            )
        if test is not None and not 0 < test <= 0.5:
            raise FulmenError(f"test is {test}; it must be above 0 and at most 0.5")
        if size is not None and not folder:
            raise FulmenError(f"size is {size}; only the pictures of a folder are resized")
        if not named or cifar10:
            classes = 10 if classes is None else classes
        if classes is None:
            classes = in_config.classes(
                {"arrays": arrays, "folder": folder, "columns": columns, "labels": labels, "test": test}
            )
        if classes < 2:
            also = f"; leave it out, and {arrays or folder} says how many there are" if arrays or folder else ""
            raise FulmenError(f"classes is {classes}; there have to be two to tell apart{also}")
        if not 0.01 <= validation <= 0.5:
            raise FulmenError(f"validation is {validation}; it must lie between 0.01 and 0.5")
        if folds < 2:
            raise FulmenError(f"folds is {folds}; it must be 2 or more")
        if fold is not None and not 0 <= fold < folds:
            raise FulmenError(f"fold is {fold}; it must lie between 0 and {folds - 1} (folds={folds})")
        if fold_tests and (fold is None or original_protocol):
            raise FulmenError("fold_tests: say which, data.fold=0, and leave out original_protocol")
        if names is not None and len(names) != classes:
            raise FulmenError(f"names has {len(names)} entries; classes is {classes}")
        if original_protocol:
            warnings.warn(
                "original_protocol=true: epochs are chosen on the test split, so its results are too good; "
                "they compare with the published exercise and nothing else",
                stacklevel=2,
            )
        self.arrays, self.folder, self.cifar10, self.classes = arrays, folder, cifar10, classes
        self.reading = Reading(columns or {}, labels, channels, pixel_range, test, classes, _two(size))
        self._named = names is not None
        self.names = list(names) if names else list(sources.CIFAR10 if cifar10 else map(str, range(classes)))
        self.class_names = self.names
        self.imbalance, self.imbalance_seed = imbalance, imbalance_seed
        self.validation, self.fold, self.folds, self.fold_tests = validation, fold, folds, fold_tests
        self.sampler = sampler or Shuffle()
        self.photographs = photographs
        self.original_protocol = original_protocol
        self.leave_out_copies = leave_out_copies
        self.cache = Path(cache) if cache else None
        self.fingerprint = ""
        self.counts = torch.zeros(classes, dtype=torch.long)

    @property
    def described(self) -> str:
        named = "CIFAR-10" if self.cifar10 else "the handwritten digits of scikit-learn"
        return files_in_words([str(self.arrays or self.folder)]) if self.arrays or self.folder else named

    def prepare_data(self) -> None:
        self._indices(self._source())

    def setup(self, stage: str | None = None) -> None:
        if self.splits:
            return
        source = self._source()
        self._tell(source)
        if self.leave_out_copies:
            self.taken = [without_copies(each) for each in self.taken]
        indices = self._indices(source)
        tested = "train" if self.fold_tests else "test"
        for part, origin in (("train", "train"), ("test", tested), ("validation", "train")):
            self.splits[part] = self._part(source, origin, indices[part])
        if self.original_protocol:
            self.splits["validation"] = self.splits["test"]
        self.counts = self.splits["train"]["label"].bincount(minlength=self.classes)
        for sentence in absent_classes(self.splits["test"]["label"], self.names):
            warnings.warn(sentence, stacklevel=2)

    def fitting(self, model: Mapping[str, Any]) -> Sequence[str]:
        network = model.get("network") or {}
        usual = (parameters(locate(str(network.get("_target_", "")))) or {}).get("pixels")
        height, width = self.splits["train"]["image"].shape[2:]
        if usual is None or height == width == network.get("pixels", usual.default):
            return ()
        return (override("model.network.pixels", height),) if height == width and not height % 8 else (
            "network=resnet9",)  # fmt: skip

    def all_samples(self) -> Samples:
        """Pixels and labels."""
        arrays = joined(self.splits, ["image", "label", "item"])
        called, item = self._called(), arrays["item"].tolist()
        of_test = (arrays["split"] == TEST) & (not self.fold_tests)
        cures = {"chosen_on_test": ("data.original_protocol=false",)} if self.original_protocol else {}
        if not self.leave_out_copies and not self.original_protocol:
            cures["copies"] = ("data.leave_out_copies=true",)
        return Samples(
            target=arrays["label"],
            kind="classes",
            split=arrays["split"],
            content=arrays["image"],
            splitting="given" if self.arrays or self.folder or self.cifar10 else "random",
            target_name="label",
            sample="image",
            cures=cures,
            called=lambda row: called["test" if of_test[row] else "train"].format(item[row]),
        )

    def _called(self) -> dict[str, str]:
        """What images of the source are called: by the array of the file too, where they stand in it in their order."""
        said = {"train": "training image {0}", "test": "test image {0}"}
        roles = array_file.roles_in(Path(self.arrays), self.reading)[0] if self.arrays else {}
        if not {"x_train", "x_test"} <= set(roles):
            return said
        return {part: f"{each} ({roles[f'x_{part}']}[{{0}}])" for part, each in said.items()}

    def train_dataloader(self) -> BatchLoader:
        train = self.splits["train"]
        epochs = self.trainer.max_epochs if self.trainer else None

        def order(epoch: int, generator: Generator) -> Tensor:
            return self.sampler(train["label"], generator, epoch / epochs if epochs and epochs > 0 else 0.0)

        return BatchLoader(train, self.batch_size, shuffle=True, seed=self.seed, order=order)

    def _tell(self, source: Arrays) -> None:
        """Take over what the classes of a file or folder are called, and what was read."""
        self.taken = [replace(taken, source=str(self.arrays or self.folder)) for taken in taken_of(source)]
        if "class_names" in source and not self._named:
            self.names = self.class_names = source["class_names"].tolist()
        elif "class_names" in source:
            found = source["class_names"].tolist()
            if sorted(found) == sorted(self.names) and found != self.names:
                raise FulmenError(
                    f"names are those of {self.arrays or self.folder} in another order; leave them out, or write "
                    f"{override('data.names', found)}"
                )

    def _source(self) -> Arrays:
        """All images, read from the cache."""
        settings: dict[str, Any] = {"arrays": bool(self.arrays), "cifar10": self.cifar10, "classes": self.classes}
        if not self.arrays and not self.folder:
            self._source_key = fingerprint(settings, code=(sources,))
            return cached("images", self._source_key, self._build, self.cache)
        settings |= {"reading": asdict(self.reading)}
        settings |= {"pictures": folders.told(Path(self.folder))} if self.folder else {}
        code = (array_file, arrays_of_files, copies, folders, labels_as_kept, pictures, pixels, shares)
        self._source_key = fingerprint(settings, code=code, files=[self.arrays] if self.arrays else [])
        return cached("images", self._source_key, self._build, self.cache)

    def _build(self) -> Arrays:
        if self.cifar10:
            return sources.cifar10((self.cache or cache_folder()) / "downloads")
        if self.arrays:
            return array_file.array_file(Path(self.arrays), self.reading)
        if self.folder:
            return folders.picture_folder(Path(self.folder), self.reading)
        return sources.digits()

    def _indices(self, source: Arrays) -> Arrays:
        """Places of each part's images in the source, kept as files; the fingerprint covers every one of them."""
        drawn = self.imbalance and {"kind": type(self.imbalance).__name__, **vars(self.imbalance)}
        settings: dict[str, Any] = {"source": self._source_key, "imbalance": drawn, "seed": self.imbalance_seed}
        settings |= {"validation": self.validation} if self.fold is None else {"fold": self.fold, "folds": self.folds}
        settings |= {"original_protocol": self.original_protocol}
        settings |= {"fold_tests": self.validation} if self.fold_tests else {}
        settings |= {"leave_out_copies": True} if self.leave_out_copies else {}
        key = fingerprint(settings, code=(unequal,))
        indices = cached("images-index", key, lambda: self._without_copies(source, self._split(source)), self.cache)
        digest = hashlib.sha256(self._source_key.encode())
        for name in sorted(indices):
            digest.update(np.ascontiguousarray(indices[name]).tobytes())
        self.fingerprint = digest.hexdigest()[:20]
        return indices

    def _split(self, source: Arrays) -> Arrays:
        labels = np.asarray(source["y_train"])
        kept = unequal.choose(labels, self.imbalance, self.imbalance_seed)
        test = np.arange(len(source["y_test"]))
        if self.original_protocol:
            return {"train": kept, "validation": kept[:0], "test": test}
        smallest = int(np.bincount(labels[kept], minlength=self.classes).min())
        needed = 2 if self.fold is None else self.folds
        if smallest < needed:
            raise FulmenError(
                f"imbalance: the smallest class keeps {smallest} images; a validation split takes {needed} at least"
            )
        share = self.validation * len(kept)
        if self.fold is None and share < self.classes:
            raise FulmenError(
                f"validation: {self.validation:g} of {len(kept)} images leave not even one of each of {self.classes} "
                f"classes; take at least data.validation={min(0.5, self.classes / len(kept)):.2g}, or more images"
            )
        if self.fold is None:
            train, validation = train_test_split(
                kept, test_size=self.validation, stratify=labels[kept], random_state=self.imbalance_seed
            )
        else:
            splits = StratifiedKFold(self.folds, shuffle=True, random_state=self.imbalance_seed)
            chosen, held_out = list(splits.split(kept, labels[kept]))[self.fold]
            train, validation = kept[chosen], kept[held_out]
        if self.fold_tests:
            test = np.sort(validation)
            train, validation = train_test_split(
                train, test_size=self.validation, stratify=labels[train], random_state=self.imbalance_seed
            )
        return {"train": np.sort(train), "validation": np.sort(validation), "test": test}

    def _without_copies(self, source: Arrays, indices: Arrays) -> Arrays:
        """The same without images to be judged by that an earlier split holds too, if these are to be left out."""
        if not self.leave_out_copies:
            return indices
        known = {name: content_hashes(np.asarray(source[f"x_{name}"])) for name in ("train", "test")}
        origin = {"train": "train", "validation": "train", "test": "train" if self.fold_tests else "test"}
        kept, seen = {"train": indices["train"]}, known["train"][indices["train"]]
        for name in ("validation", "test"):
            key = known[origin[name]][indices[name]]
            kept[name], seen = indices[name][~np.isin(key, seen)], np.union1d(seen, key)
        if not len(kept["test"]) or (len(indices["validation"]) and not len(kept["validation"])):
            raise FulmenError("leave_out_copies: every image to be judged by equals another one; none is left")
        return kept

    def _part(self, source: Arrays, origin: str, index: np.ndarray) -> dict[str, Tensor]:
        index = np.asarray(index)
        return {
            "image": torch.from_numpy(source[f"x_{origin}"][index]),
            "label": torch.from_numpy(source[f"y_{origin}"][index]),
            "item": torch.from_numpy(index.copy()),
        }


def _two(size: int | Sequence[int] | None) -> tuple[int, int] | None:
    """Height and width.

    Raises:
        FulmenError: they are none.
    """
    if size is None:
        return None
    both = (size, size) if isinstance(size, int) else tuple(size)
    if len(both) != 2 or min(both) < 1 or max(both) > 4096:
        raise FulmenError(f"size is {size}; give pixels on each side, or height and width, such as [32,48]")
    return both[0], both[1]


def without_copies(taken: Taken) -> Taken:
    """The same where copies among the images to be judged by are left out: what was a doubt is told as that."""
    again = [each for each in taken.doubts if JUDGED_TWICE in each]
    said = [f"{each.partition(';')[0]}: these are left out (data.leave_out_copies=true)" for each in again]
    rest = [each.removesuffix(TWO_SIDES) for each in taken.doubts if each not in again]
    return replace(taken, dropped=[*taken.dropped, *said], doubts=rest)
