"""Arrays and labels of other people are read to the value, or refused in one line whose override or call then works."""

import gzip
import io
import pickle
import re
import zipfile

import numpy as np
import pytest
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser

from fulmen.errors import FulmenError
from fulmen.workloads.images.data import ImagesData

RNG = np.random.default_rng(0)
WORDS = np.array(["cat", "dog", "ant"])


def bright(y):
    """uint8 [N, 16, 16, 3], brighter with the class, from 0 to 255."""
    x = 40 + 70 * y[:, None, None, None] + RNG.integers(-40, 40, (len(y), 16, 16, 3))
    x[:, 0, 0], x[:, 0, 1] = 0, 255
    return x.astype(np.uint8)


Y, Y_TEST = np.arange(60) % 3, np.arange(30) % 3
X, X_TEST = bright(Y), bright(Y_TEST)


def both(change_x=None, change_y=None):
    """Entries in which both parts are changed alike."""
    x, y = change_x or (lambda x: x), change_y or (lambda y: y)
    return {"x_train": x(X), "x_test": x(X_TEST), "y_train": y(Y), "y_test": y(Y_TEST)}


def renamed(**names):
    """Entries under other names; what is left out is not there."""
    whole = both()
    return {other: whole[name] for name, other in names.items()}


@pytest.fixture
def read(tmp_path):
    def make(entries, **said):
        path = tmp_path / "photos.npz"
        if isinstance(entries, bytes):
            path.write_bytes(entries)
        else:
            np.savez(path, **entries)
        data = ImagesData(arrays=str(path), cache=str(tmp_path / "cache"), **said)
        data.prepare_data()
        data.setup()
        return data

    return make


def typed(message):
    """The arguments that the overrides in a message say, as Hydra reads what a shell leaves of them."""
    asked = re.split(r"; if (?:not|255)", message)[0]
    found = [a or b for a, b in re.findall(r"'(data\.\w+=[^']*)'|(data\.\w+=\S+)", asked)]
    parsed = OverridesParser.create().parse_overrides([each.rstrip(",;") for each in found])
    return {each.key_or_group.removeprefix("data."): each.value() for each in parsed}


def images(data, part):
    return data.splits[part]["image"].permute(0, 2, 3, 1).numpy()


def grey_of(x):
    return np.repeat(x[..., :1], 3, 3)


READ = {  # entries, images of the test part, names of the classes, what is said of it
    "plain": (both(), X_TEST, ["0", "1", "2"], ""),
    "0 to 1 in float32": (both(lambda x: (x / 255).astype(np.float32)), X_TEST, None, "0 (black) to 1"),
    "0 to 1 in float16": (both(lambda x: (x / 255).astype(np.float16)), X_TEST, None, "0 (black) to 1"),
    "0 to 1 in float64": (both(lambda x: x / 255), X_TEST, None, "data.pixel_range=[0,1]"),
    "0 to 255 in float32": (both(lambda x: x.astype(np.float32)), X_TEST, None, "0 (black) to 255"),
    "-1 to 1": (both(lambda x: x / 127.5 - 1), X_TEST, None, "-1 (black) to 1"),
    "int64": (both(lambda x: x.astype(np.int64)), X_TEST, None, "int64"),
    "int16": (both(lambda x: x.astype(np.int16)), X_TEST, None, "int16"),
    "0 to 255 in uint16": (both(lambda x: x.astype(np.uint16)), X_TEST, None, "uint16"),
    "16 bits": (both(lambda x: x.astype(np.uint16) * 257), X_TEST, None, "65535"),
    "black and white": (both(lambda x: x[..., 0] > 100), 255 * grey_of(X_TEST > 100).astype(int), None, "black and"),
    "channels first": (both(lambda x: x.transpose(0, 3, 1, 2)), X_TEST, None, "data.channels=first"),
    "grey": (both(lambda x: x[..., 0]), grey_of(X_TEST), None, ""),
    "grey, channel last": (both(lambda x: x[..., :1]), grey_of(X_TEST), None, "grey"),
    "grey, channel first": (both(lambda x: x[:, None, :, :, 0]), grey_of(X_TEST), None, "grey"),
    "opacity": (both(lambda x: np.concatenate([x, x[..., :1] * 0 + 255], 3)), X_TEST, None, "opacity"),
    "Fortran order": (both(np.asfortranarray), X_TEST, None, ""),
    "big endian": (both(lambda x: x.astype(">i4"), lambda y: y.astype(">i8")), X_TEST, ["0", "1", "2"], ""),
    "text labels": (both(None, lambda y: WORDS[y]), X_TEST, ["ant", "cat", "dog"], "ant, cat, dog"),
    "bytes": (both(None, lambda y: WORDS[y].astype("S3")), X_TEST, ["ant", "cat", "dog"], "ant, cat, dog"),
    "text numbers": (both(None, lambda y: (y + 9).astype(str)), X_TEST, ["9", "10", "11"], "9, 10, 11"),
    "spaces around text": (both(None, lambda y: np.char.add(WORDS[y], " ")), X_TEST, ["ant", "cat", "dog"], "ant"),
    "one column a class": (both(None, lambda y: np.eye(3)[y]), X_TEST, ["0", "1", "2"], "one column a class"),
    "labels [N, 1]": (both(None, lambda y: y[:, None]), X_TEST, ["0", "1", "2"], "one label per image"),
    "text [N, 1]": (both(None, lambda y: WORDS[y][:, None]), X_TEST, ["ant", "cat", "dog"], "one label per image"),
    "labels [1, N]": (both(None, lambda y: y[None]), X_TEST, ["0", "1", "2"], "one label per image"),
    "labels from 1": (both(None, lambda y: y + 1), X_TEST, ["1", "2", "3"], "counts from 1"),
    "labels -1 and 1": (both(None, lambda y: np.where(y > 0, 1, -1)), X_TEST, ["-1", "1"], "-1 and 1"),
    "float labels": (both(None, lambda y: y.astype(np.float32)), X_TEST, ["0", "1", "2"], "whole numbers"),
    "uint8 labels": (both(None, lambda y: y.astype(np.uint8)), X_TEST, ["0", "1", "2"], ""),
    "truth values": (both(None, lambda y: y > 0), X_TEST, ["0", "1"], "class 0 is False"),
    "names in capitals": (renamed(x_train="X_train", y_train="Y_train", x_test="X_test", y_test="Y_test"), X_TEST, None,
                          "X_train is x_train"),
    "an array more": (both() | {"mean": np.zeros(3)}, X_TEST, None, "not used: mean"),
    "an array of objects that nobody reads": (both() | {"info": np.array([{}, 1], dtype=object)}, X_TEST, None, "info"),
}  # fmt: skip


@pytest.mark.parametrize("case", READ)
def test_it_is_read_to_the_value_and_said(read, case):
    entries, expected, names, said = READ[case]
    data = read(entries)
    assert np.array_equal(images(data, "test"), expected)
    truth = {"text labels", "bytes", "spaces around text", "text [N, 1]"}
    label = np.array([1, 2, 0])[Y_TEST] if case in truth else Y_TEST if names is None or len(names) > 2 else Y_TEST > 0
    assert data.splits["test"]["label"].tolist() == label.astype(int).tolist()
    assert data.names == (names or ["0", "1", "2"])
    lines = [line for taken in data.taken for line in taken.lines()]
    assert said in "\n".join(lines)
    assert 1 <= len(lines) <= 5


ASKED = {  # entries, further arguments, images of the test part after what the message says, a word of the message
    "0 and 1 in uint8": (both(lambda x: x // 128), X_TEST // 128 * np.uint8(255), "nearly black"),
    "0 and 1 in int64": (both(lambda x: (x // 128).astype(int)), X_TEST // 128 * np.uint8(255), "nearly black"),
    "0 to 16": (both(lambda x: np.rint(x / 255 * 16)), None, "is 16 white"),
    "-0.5 to 0.5": (both(lambda x: x / 255 - 0.5), X_TEST, "-0.5"),
    "int8": (both(lambda x: (x.astype(int) - 128).astype(np.int8)), X_TEST, "-128"),
    "12 bits": (both(lambda x: np.rint(x * (4095 / 255)).astype(np.uint16)), X_TEST, "is 4095 white"),
    "percent": (both(lambda x: x / 2.55), X_TEST, "is 100 white"),
    "standardised": (both(lambda x: (x - 120.0) / 60), None, "standardised"),
    "three in both axes": (both(lambda x: x[:, :3]), X_TEST[:, :3], "second axis or the last"),
    "labels with gaps": (both(None, lambda y: 2 * y), X_TEST, "data.labels=names"),
    "labels from -1": (both(None, lambda y: y - 1), X_TEST, "data.labels=names"),
    "labels from 1 and a mark": (both(None, lambda y: np.where(y == 2, 255, y)), X_TEST, "255"),
    "images and labels": (renamed(x_train="images", y_train="labels"), None, "data.test=0.2"),
    "x and y": (renamed(x_train="x", y_train="y"), None, "x as x_train"),
    "train_images": (renamed(x_train="train_images", y_train="train_labels", x_test="test_images",
                             y_test="test_labels"), X_TEST, "train_images as x_train"),
    "train_x": (renamed(x_train="train_x", y_train="train_y", x_test="test_x", y_test="test_y"), X_TEST, "train_x"),
    "trainX and valid": (renamed(x_train="xtr", y_train="ytr", x_test="xte", y_test="yte"), X_TEST, "xtr"),
    "without names": (renamed(x_train="arr_0", y_train="arr_1", x_test="arr_2", y_test="arr_3"), X_TEST, "arr_0"),
    "no test part": (renamed(x_train="x_train", y_train="y_train"), None, "split a share"),
    "exchanged": ({"x_train": Y, "y_train": X, "x_test": Y_TEST, "y_test": X_TEST}, X_TEST, "exchanged"),
    "the test part is the training part": (both() | {"x_test": X, "y_test": Y}, None, "nothing would be tested"),
}  # fmt: skip


@pytest.mark.parametrize("case", ASKED)
def test_it_is_asked_about_in_one_line_and_the_override_works(read, case):
    entries, expected, word = ASKED[case]
    with pytest.raises(FulmenError) as refused:
        read(entries)
    assert word in str(refused.value)
    assert "\n" not in str(refused.value)
    said = typed(str(refused.value))
    assert said
    data = read(entries, **said)
    if expected is not None:
        assert np.array_equal(images(data, "test"), expected)
        assert [data.names[c] for c in data.splits["test"]["label"]] == [
            str(each) for each in entries.get("y_test", Y_TEST) if np.ndim(each) == 0
        ] or case in ("exchanged",)
    elif "data.test" in str(refused.value):
        assert len(data.splits["test"]["label"]) == 12
        assert data.splits["test"]["label"].bincount().tolist() == [4, 4, 4]


CALLS = {  # entries, the call, what the entry becomes by it
    "flat": (both(lambda x: x.reshape(len(x), -1)), "reshape(-1, 16, 16, 3)", both()),
    "flat and grey": (both(lambda x: x[..., 0].reshape(len(x), -1)), "x_train.reshape(-1, 16, 16)",
                      both(lambda x: x[..., 0])),
    "the last axis counts": (both(lambda x: np.moveaxis(x, 0, -1)), "np.moveaxis(x_train, -1, 0)", both()),
    "probabilities for labels": (both(None, lambda y: np.eye(3)[y] * 0.9 + 0.03), "y_train.argmax(1)", both()),
    "case alone tells labels apart": (both(None, lambda y: np.array(["cat", "Cat", "ant"])[y]), "np.char.lower(",
                                      both(None, lambda y: np.array(["cat", "cat", "ant"])[y])),
    "0 to 1 and 0 to 255": (both() | {"x_train": X / 255, "x_test": X_TEST.astype(float)}, "x_train * 255",
                            both(lambda x: x.astype(float))),
    "nearly black in one part": (both() | {"x_test": X_TEST // 128}, "x_test * 255",
                                 both() | {"x_test": X_TEST // 128 * np.uint8(255)}),
}  # fmt: skip


@pytest.mark.parametrize("case", CALLS)
def test_it_is_refused_in_one_line_with_the_call_to_make(read, case):
    entries, call, mended = CALLS[case]
    with pytest.raises(FulmenError) as refused:
        read(entries)
    assert call in str(refused.value)
    assert "\n" not in str(refused.value)
    read(mended)


def zipped(name):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, b"content")
    return file.getvalue()


def npz(**entries):
    file = io.BytesIO()
    np.savez(file, **entries)
    return file.getvalue()


def npy(x):
    file = io.BytesIO()
    np.save(file, x)
    return file.getvalue()


REFUSED = {
    "several classes an image": (both(None, lambda y: np.ones((len(y), 3), int)), "has 3 classes"),
    "not a number": (both(lambda x: np.where(x == 255, np.nan, x / 255)), r"x_train\[0, 0, 1, 0\] is nan"),
    "-999": (both(lambda x: np.where(x == 0, -999.0, x)), r"x_train\[0, 0, 0, 0\] is -999, a mark"),
    "one class": (both(None, lambda y: y * 0), "one class alone"),
    "decimals for labels": (both(None, lambda y: y + 0.5), r"y_train\[0\] is 0.5"),
    "a label that is not there": (both(None, lambda y: np.where(y == 2, np.nan, y)), r"y_train\[2\] is nan"),
    "an empty label": (both(None, lambda y: np.array(["", "a", "b"])[y]), r"y_train\[0\] is empty"),
    "a class of the test part alone": (both() | {"y_test": Y_TEST + 1}, r"y_test\[2\] is 3"),
    "numbers of images": (both(None, lambda y: np.arange(len(y))), "60 different labels"),
    "too few labels": (both() | {"y_test": Y_TEST[:-1]}, r"y_test is int64 \[29\]"),
    "no image": (both() | {"x_test": X_TEST[:0], "y_test": Y_TEST[:0]}, "x_test holds no image"),
    "two sizes": (both() | {"x_test": X_TEST[:, :8, :8]}, "differ in height and width: x_train 16 x 16"),
    "text and numbers": (both() | {"y_test": WORDS[Y_TEST]}, "of one kind"),
    "videos": (both(lambda x: x[:, None]), r"shape \[60, 1, 16, 16, 3\]"),
    "text for pixels": (both(lambda x: x.astype(str)), "pixels are numbers"),
    "objects": (both() | {"x_train": np.array([X[0], X[1, :4]], dtype=object)}, "x_train holds Python objects"),
    "an .npy": (npy(X), "one array without labels"),
    "nothing": (b"", "it is empty"),
    "half of it": (npz(**both())[:9000], "breaks off"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "a PNG picture"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file; with h5py"),
    "MATLAB": (b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(100), "scipy.io.loadmat"),
    "a pickle": (pickle.dumps({"x_train": [1]}), "a pickle"),
    "torch.save": (zipped("archive/data.pkl"), "a file of torch.save"),
    "a zip of pictures": (zipped("photos/cat/1.png"), "a zip archive: it holds photos/cat/1.png"),
    "a table": (b"a,b\n1,2\n", "no .npz but text"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_in_one_line(read, case):
    entries, message = REFUSED[case]
    with pytest.raises(FulmenError, match=message) as refused:
        read(entries)
    assert "\n" not in str(refused.value)
    assert "pickle=" not in str(refused.value)


def test_a_packed_npz_is_read(read):
    assert np.array_equal(images(read(gzip.compress(npz(**both()))), "test"), X_TEST)


def test_labels_may_keep_a_label_that_the_hint_names(read):
    data = read(both(None, lambda y: np.where(y == 2, 255, y)), labels="names")
    assert data.names == ["0", "1", "255"]
    assert data.classes == 3


def test_copies_are_counted_and_told(read):
    x, y = np.concatenate([X, X[:4], X_TEST[:2]]), np.concatenate([Y, Y[:3], [1], Y_TEST[:2]])
    (taken,) = read(both() | {"x_train": x, "y_train": y}).taken
    assert taken.doubts[0].startswith("4 of 66 training images are copies")
    assert taken.doubts[1].startswith("2 of 30 test images are training images too (first: image 0, in training 64)")
    assert taken.doubts[2] == "1 copies of an image have another label than it (0 and 1)"


def test_copies_stay_on_one_side_of_a_test_part_that_is_split_off(read):
    x, y = np.concatenate([X, X]), np.concatenate([Y, Y])
    data = read({"x_train": x, "y_train": y}, test=0.2)
    pixels = {part: {each.tobytes() for each in images(data, part)} for part in ("train", "validation", "test")}
    assert not pixels["test"] & (pixels["train"] | pixels["validation"])
    assert len(data.splits["test"]["label"]) == 24
    again = read({"x_train": x, "y_train": y}, test=0.2, seed=7)
    assert torch.equal(data.splits["test"]["image"], again.splits["test"]["image"]), "the test part is part of the data"


def test_names_in_another_order_than_the_labels_are_refused(read):
    entries = both(None, lambda y: WORDS[y])
    with pytest.raises(FulmenError, match=r"another order.* 'data.names=\[ant,cat,dog\]'"):
        read(entries, names=["cat", "dog", "ant"])
    assert read(entries, names=["Ameise", "Katze", "Hund"]).names == ["Ameise", "Katze", "Hund"]


def test_what_was_taken_is_known_from_the_cache_too(read):
    entries = both(lambda x: x / 255)
    assert read(entries).taken == read(entries).taken
    assert "60 images to train on, 30 to test, 16 x 16, 3 classes" in read(entries).taken[0].lines()[0]
