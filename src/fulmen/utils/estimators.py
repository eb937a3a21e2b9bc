"""Estimators of scikit-learn in the place of a network, and how they are stored: by skops, with a fixed list of types.

A stored estimator is a zip of arrays and one `schema.json` that names the type of every object. Every name in it is
held against `TRUSTED` before skops is asked to read it: of a file that names anything else nothing is imported.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fulmen.errors import FulmenError

LARGEST = 1 << 30  # bytes, unpacked
LARGEST_SCHEMA = 64 << 20  # bytes; a forest of 100 trees has a few hundred thousand
BOOSTING = "sklearn.ensemble._hist_gradient_boosting"
TRUSTED: Mapping[str, str] = {  # type -> how skops reads it, which a file must not change
    **dict.fromkeys(("builtins.str", "builtins.int", "builtins.float", "builtins.bool"), "JsonNode TypeNode"),
    "builtins.NoneType": "JsonNode",
    "builtins.dict": "DictNode",
    "builtins.list": "ListNode",
    "builtins.tuple": "TupleNode",
    "numpy.dtype": "DTypeNode",
    "numpy.ndarray": "NdArrayNode",
    **dict.fromkeys(
        (f"numpy.{name}" for name in ("float64", "float32", "int64", "int32", "uint64", "uint8", "bool")),
        "NdArrayNode TypeNode",
    ),
    "numpy.random._generator.Generator": "RandomGeneratorNode",
    "sklearn.tree._tree.Tree": "TreeNode",
    "sklearn._loss._loss.CyHalfBinomialLoss": "LossNode",
    "sklearn._loss._loss.CyHalfMultinomialLoss": "LossNode",
    **dict.fromkeys(
        (
            "sklearn.pipeline.Pipeline",
            "sklearn.impute._base.SimpleImputer",
            "sklearn.impute._base.MissingIndicator",
            "sklearn.preprocessing._data.StandardScaler",
            "sklearn.preprocessing._label.LabelEncoder",
            "sklearn.linear_model._logistic.LogisticRegression",
            "sklearn.linear_model._ridge.Ridge",
            "sklearn.ensemble._forest.RandomForestClassifier",
            "sklearn.tree._classes.DecisionTreeClassifier",
            f"{BOOSTING}.gradient_boosting.HistGradientBoostingClassifier",
            f"{BOOSTING}.predictor.TreePredictor",
            f"{BOOSTING}.binning._BinMapper",
            "sklearn._loss.link.Interval",
            "sklearn._loss.link.LogitLink",
            "sklearn._loss.link.MultinomialLogit",
            "sklearn._loss.loss.HalfBinomialLoss",
            "sklearn._loss.loss.HalfMultinomialLoss",
        ),
        "ObjectNode",
    ),
}


class Estimator(nn.Module):
    """A fitted estimator in the place of a network: what a baseline is when it is kept.

    It has no parameters to train: `fit_to` takes the splits of the data once. In checkpoints and kept models the
    estimator stands as the bytes of its skops file.

    Attributes:
        estimator: of scikit-learn, fitted; None before.
    """

    def __init__(self) -> None:
        super().__init__()
        self.estimator: Any = None

    def fit_to(self, splits: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Set `estimator` by what is learned from the training split (and chosen by the validation split).

        Args:
            splits: of a `WorkloadData` that is set up.
        """
        raise NotImplementedError(f"{type(self).__name__} needs def fit_to(self, splits)")

    @property
    def fitted(self) -> Any:
        """`estimator`.

        Raises:
            FulmenError: it was not fitted.
        """
        if self.estimator is None:
            raise FulmenError(f"{type(self).__name__} was not fitted: it predicts nothing yet")
        return self.estimator

    def get_extra_state(self) -> Tensor:
        content = b"" if self.estimator is None else encode(self.estimator)
        return torch.frombuffer(bytearray(content), dtype=torch.uint8) if content else torch.empty(0, dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        content = state.cpu().numpy().tobytes()
        self.estimator = decode(content, type(self).__name__) if content else None


def encode(estimator: Any) -> bytes:
    """The estimator as a skops file.

    Raises:
        FulmenError: it holds a type that is not among `TRUSTED`.
    """
    import skops.io

    content = skops.io.dumps(estimator)
    check(content, type(estimator).__name__)
    return content


def decode(content: bytes, path: Any) -> Any:
    """The estimator in a skops file.

    Args:
        path: for messages.

    Raises:
        FulmenError: it names a type that is not among `TRUSTED`, or cannot be read by the scikit-learn of now.
    """
    check(content, path)
    import skops.io

    try:
        return skops.io.loads(content, trusted=list(TRUSTED))
    except Exception as error:  # of skops, of a constructor that another scikit-learn has changed
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise FulmenError(f"{path}: the estimator cannot be read by this scikit-learn: {said}") from error


def check(content: bytes, path: Any) -> None:
    """Pass if a skops file holds arrays and names trusted types alone; nothing is imported to find out.

    Raises:
        FulmenError: it is none, is larger than anyone has written in good faith, or names another type.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = {each.filename: each.file_size for each in archive.infolist()}
            if "schema.json" not in files or files["schema.json"] > LARGEST_SCHEMA or sum(files.values()) > LARGEST:
                raise FulmenError(f"{path} is no skops file of a size that can be trusted")
            if strange := [name for name in files if name != "schema.json" and not name.endswith(".npy")]:
                raise FulmenError(f"{path} holds {strange[0][:100]!r}: refused, estimators are arrays and schema.json")
            schema = json.loads(archive.read("schema.json"))
        named = sorted(set(types(schema)))
    except (zipfile.BadZipFile, ValueError, RecursionError, OSError, NotImplementedError) as error:
        raise FulmenError(f"{path} is no readable skops file: {str(error)[:200]}") from None
    for name, loader in named:
        if name not in TRUSTED or loader not in TRUSTED[name].split():
            how = f" read as {loader}" if name in TRUSTED else ""
            raise FulmenError(f"{path} names the type {name[:100]}{how[:100]}, which no kept estimator has; refused")


def types(node: Any) -> Iterator[tuple[str, str]]:
    """(type, reader) of every object in a schema."""
    if isinstance(node, dict):
        keys = ("__module__", "__class__", "__loader__")
        if any(key in node for key in keys):
            module, name, loader = (str(node.get(key, "")) for key in keys)
            yield f"{module}.{name}", loader
        for value in node.values():
            yield from types(value)
    elif isinstance(node, list):
        for value in node:
            yield from types(value)
