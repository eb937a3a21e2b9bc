import hashlib
import pickle
import shutil
import tarfile
import urllib.error
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10

from fulmen.config.check import compose
from fulmen.data.leaks.copies import copies
from fulmen.errors import FulmenError
from fulmen.workloads.images import sources
from fulmen.workloads.images.array_file import Reading, array_file
from fulmen.workloads.images.data import ImagesData
from fulmen.workloads.images.evaluate import summarize
from fulmen.workloads.images.imbalance import Step
from fulmen.workloads.images.samplers import ClassBalanced


def items(data, part):
    return data.splits[part]["item"].numpy()


def test_the_default_needs_no_file_and_no_network():
    data = ImagesData(imbalance=Step())
    data.prepare_data()
    data.setup()
    image = data.splits["train"]["image"]
    assert image.dtype == torch.uint8
    assert image.shape[1:] == (3, 32, 32)
    assert data.counts.argsort()[:3].sort().values.tolist() == [0, 1, 2]
    assert sum(len(part["label"]) for part in data.splits.values()) < 1797


def test_parts_are_disjoint_stratified_and_point_into_their_source(data, arrays):
    whole = np.load(arrays())
    split = data(imbalance=Step([0], 0.4), validation=0.2)
    train, validation = items(split, "train"), items(split, "validation")
    assert not set(train) & set(validation)
    assert split.counts.tolist() == [16, 40, 40]
    assert split.splits["validation"]["label"].bincount().tolist() == [4, 10, 10]
    for part, source in (("train", "train"), ("validation", "train"), ("test", "test")):
        expected = whole[f"x_{source}"][items(split, part)].transpose(0, 3, 1, 2)
        assert np.array_equal(split.splits[part]["image"].numpy(), expected)
        assert np.array_equal(split.splits[part]["label"].numpy(), whole[f"y_{source}"][items(split, part)])
    assert np.array_equal(items(split, "test"), np.arange(45))


def test_folds_hold_out_every_training_image_once_and_leave_the_test_part_alone(data):
    folds = [data(imbalance=Step([0], 0.4), fold=k, folds=5) for k in range(5)]
    held_out = np.concatenate([items(fold, "validation") for fold in folds])
    assert len(np.unique(held_out)) == len(held_out) == 120
    for fold in folds:
        assert fold.splits["validation"]["label"].bincount().tolist() == [4, 10, 10]
        assert len(items(fold, "test")) == 45
    assert len({fold.fingerprint for fold in folds}) == 5


def test_folds_that_test_leave_the_test_images_of_the_source_unseen(data):
    folds = [data(fold=k, folds=5, fold_tests=True) for k in range(5)]
    assert sorted(np.concatenate([items(fold, "test") for fold in folds])) == list(range(150))
    for fold in folds:
        seen = [set(items(fold, name)) for name in ("train", "validation", "test")]
        assert [len(each) for each in seen] == [108, 12, 30]
        assert set.union(*seen) == set(range(150)), "no image in two parts, none of another source"
    assert len({fold.fingerprint for fold in folds}) == 5


def test_the_fingerprint_is_that_of_the_images_chosen(data):
    same = {data(imbalance=Step([0], 0.4)).fingerprint for _ in range(2)}
    others = [{"imbalance": None}, {"imbalance": Step([0], 0.5)}, {"imbalance": Step([0], 0.4), "imbalance_seed": 1}]
    assert len(same | {data(**each).fingerprint for each in others}) == 4
    one, two = data(imbalance=Step([0], 0.4), seed=1), data(imbalance=Step([0], 0.4), seed=2)
    assert one.fingerprint == two.fingerprint, "seeds of a comparison share their images"


def test_epochs_follow_the_sampler(data):
    split = data(imbalance=Step([0], 0.2), sampler=ClassBalanced(), batch_size=30)
    shown = torch.cat([batch["label"] for batch in split.train_dataloader()]).bincount()
    assert shown.max() - shown.min() <= 1


def test_the_published_protocol_validates_on_the_test_part_and_warns(data):
    with pytest.warns(UserWarning, match="its results are too good"):
        leaky = data(imbalance=Step([0], 0.4), original_protocol=True)
    assert np.array_equal(items(leaky, "validation"), items(leaky, "test"))
    assert leaky.counts.tolist() == [20, 50, 50]
    chance = torch.full((45, 3), 1 / 3).log()
    assert "leakage: original_protocol" in summarize(chance, 0.0, leaky, None).warnings[0]
    assert not summarize(chance, 0.0, data(), None).warnings


def test_grey_images_become_three_equal_channels(arrays):
    grey = np.random.default_rng(0).integers(0, 255, (150, 16, 16)).astype(np.uint8)
    made = array_file(Path(arrays(x_train=grey)), Reading())
    assert np.array_equal(made["x_train"], np.repeat(grey[:, None], 3, 1))


@pytest.mark.parametrize("kept", [0, 10, 3000])
def test_a_truncated_file_is_refused(arrays, tmp_path, kept):
    whole = Path(arrays()).read_bytes()
    (tmp_path / "half.npz").write_bytes(whole[:kept])
    with pytest.raises(FulmenError, match=r"half\.npz is damaged or no \.npz"):
        ImagesData(arrays=str(tmp_path / "half.npz"), classes=3).prepare_data()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"arrays": "none.npz"}, r"arrays: there is no file none\.npz"),
        ({"cifar10": True, "arrays": "x.npz"}, "exclude each other"),
        ({"classes": 1}, "classes is 1"),
        ({"validation": 0.9}, r"validation is 0\.9"),
        ({"fold": 5}, r"fold is 5; it must lie between 0 and 4 \(folds=5\)"),
        ({"fold_tests": True}, "fold_tests: say which, data.fold=0"),
        ({"names": ["a"]}, "names has 1 entries; classes is 10"),
    ],
)
def test_impossible_settings_are_refused(arguments, message):
    with pytest.raises(FulmenError, match=message):
        ImagesData(**arguments)


def test_a_class_without_a_test_image_is_told_before_the_training_and_in_the_summary(arrays):
    data = ImagesData(arrays=arrays(y_test=np.arange(45) % 2), classes=3)
    data.prepare_data()
    with pytest.warns(UserWarning, match=r"no image of 2 in the test split.* 2 of 3 classes"):
        data.setup()
    chance = torch.full((45, 3), 1 / 3).log()
    assert "no image of 2 in the test split" in summarize(chance, 0.0, data, None).warnings[0]


def test_a_class_too_small_to_split_is_refused(arrays):
    data = ImagesData(arrays=arrays(), classes=3, imbalance=Step([1], 0.02))
    with pytest.raises(FulmenError, match="the smallest class keeps 1 images; a validation split takes 2 at least"):
        data.prepare_data()


def test_a_validation_part_without_one_image_of_each_class_is_refused(arrays):
    few = np.arange(24) % 3
    made = arrays(y_train=few, x_train=np.zeros((24, 16, 16, 3), np.uint8))
    with pytest.raises(FulmenError, match=r"not even one of each of 3 classes; take at least data\.validation=0\.12"):
        ImagesData(arrays=made, classes=3).prepare_data()


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A small archive in CIFAR-10's format, with torchvision told its checksums and the network cut."""
    rng, folder = np.random.default_rng(0), tmp_path / "make" / CIFAR10.base_folder
    folder.mkdir(parents=True)
    labels = []

    def write(name, content):
        (folder / name).write_bytes(pickle.dumps(content))
        return [name, hashlib.md5((folder / name).read_bytes()).hexdigest()]

    def batch(name):
        y = rng.permutation(np.arange(40) % 10).tolist()
        labels.append(y)
        return write(name, {"data": rng.integers(0, 256, (40, 3072), dtype=np.uint8), "labels": y})

    train = [batch(f"data_batch_{i}") for i in range(1, 6)]
    test = [batch("test_batch")]
    meta = write("batches.meta", {"label_names": list(sources.CIFAR10)})
    path = tmp_path / CIFAR10.filename
    with tarfile.open(path, "w:gz") as tar:
        tar.add(folder, CIFAR10.base_folder)
    monkeypatch.setattr(CIFAR10, "train_list", train)
    monkeypatch.setattr(CIFAR10, "test_list", test)
    monkeypatch.setattr(CIFAR10, "meta", {"filename": meta[0], "key": "label_names", "md5": meta[1]})
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(path.read_bytes()).hexdigest())

    def unreachable(*_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    return path, np.concatenate(labels)


def test_cifar10_is_read_from_its_archive(archive, tmp_path):
    path, labels = archive
    downloads = tmp_path / "cache" / "downloads"
    downloads.mkdir(parents=True)
    shutil.copy(path, downloads)
    data = ImagesData(cifar10=True, cache=str(tmp_path / "cache"))
    data.prepare_data()
    data.setup()
    assert data.names[0] == "airplane"
    assert len(data.splits["test"]["label"]) == 40
    assert np.array_equal(data.splits["train"]["label"].numpy(), labels[items(data, "train")])
    shutil.rmtree(downloads)
    ImagesData(cifar10=True, cache=str(tmp_path / "cache")).prepare_data()  # the cache is enough


@pytest.mark.parametrize("state", ["absent", "half", "half extracted"])
def test_no_network_and_no_whole_archive_is_an_error_that_says_what_to_do(archive, tmp_path, state):
    path, _ = archive
    downloads = tmp_path / "cache" / "downloads"
    downloads.mkdir(parents=True)
    if state == "half":
        (downloads / path.name).write_bytes(path.read_bytes()[:5000])
    if state == "half extracted":
        shutil.copytree(tmp_path / "make" / CIFAR10.base_folder, downloads / CIFAR10.base_folder)
        one = downloads / CIFAR10.base_folder / "data_batch_3"
        one.write_bytes(one.read_bytes()[:100])
    data = ImagesData(cifar10=True, cache=str(tmp_path / "cache"))
    with pytest.raises(FulmenError, match=r"cifar10: no whole copy in .* put cifar-10-python\.tar\.gz from http"):
        data.prepare_data()
    assert not list((tmp_path / "cache").glob("images-*/x_train.npy"))


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ([], "Step"),
        (["data=cifar10"], "Step"),
        (["imbalance=null"], None),
        (["imbalance=none"], None),
        (["data=image_arrays", "data.arrays=x.npz"], None),
        (["data=image_arrays", "data.arrays=x.npz", "recipe=airbench"], None),
        (["data=image_arrays", "data.arrays=x.npz", "imbalance=step"], "Step"),
        (["imbalance=exponential", "data=image_arrays", "data.arrays=x.npz"], "Exponential"),
    ],
)
@pytest.mark.parametrize("experiment", ["images_plain", "images_balanced", "images_strong"])
def test_ones_own_images_are_all_kept_unless_an_imbalance_is_typed(experiment, typed, kind):
    imbalance = compose([f"experiment={experiment}", *typed]).data.get("imbalance")
    assert imbalance is None if kind is None else imbalance["_target_"].endswith(f".{kind}")


def test_copies_among_the_images_to_be_judged_by_are_named_by_array_and_number_and_can_be_left_out(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (200, 8, 8, 3), dtype=np.uint8), np.arange(200) % 2
    x[[151, 153]] = x[[7, 9]]
    path = tmp_path / "pictures.npz"
    np.savez(path, x_train=x[:150], y_train=y[:150], x_test=x[150:], y_test=y[150:])

    def leaks(**more):
        data = ImagesData(arrays=str(path), cache=str(tmp_path), **more)
        data.prepare_data()
        data.setup()
        return data, copies(data.all_samples())

    data, found = leaks()
    said = [f"test image {i} (x_test[{i}]) equals training image {j} (x_train[{j}])" for i, j in ((1, 7), (3, 9))]
    assert found
    assert all(any(each in leak.finding for each in said) for leak in found)
    assert {leak.cures for leak in found} == {("data.leave_out_copies=true",)}
    assert ["training images too" in each for taken in data.taken for each in taken.doubts] == [True]
    fewer, left = leaks(leave_out_copies=True)
    assert [each for taken in fewer.taken for each in taken.doubts if "too" in each] == []
    assert any("these are left out (data.leave_out_copies=true)" in each for each in fewer.taken[0].dropped)
    assert left == []
    assert len(fewer.splits["test"]["label"]) == 48
    assert fewer.fingerprint != data.fingerprint
