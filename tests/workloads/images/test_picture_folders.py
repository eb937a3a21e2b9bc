"""Pictures in folders of their classes are read as torchvision reads them; what is unsure is asked in one line."""

import re
import shutil

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import ImageFolder

from fulmen.config.check import build, check_overrides
from fulmen.config.mistakes import ConfigError
from fulmen.errors import FulmenError
from fulmen.workloads.images import predict
from fulmen.workloads.images.data import ImagesData

CLASSES = {"cat": 60, "dog": 130, "ant": 200}


def pixels(brightness, seed, size=(16, 16)):
    x = brightness + np.random.default_rng(seed).integers(-50, 50, (*size, 3))
    return x.astype(np.uint8)


def fill(folder, number=10, ending=".png", seed=0, size=(16, 16)):
    for place, (name, brightness) in enumerate(CLASSES.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(number):
            x = pixels(brightness, 1000 * seed + 100 * place + i, size)
            Image.fromarray(x).save(folder / name / f"{i}{ending}")
    return folder


@pytest.fixture
def photos(tmp_path):
    return fill(tmp_path / "photos")


@pytest.fixture
def read(tmp_path):
    def make(folder, **said):
        data = ImagesData(folder=str(folder), cache=str(tmp_path / "cache"), **said)
        data.prepare_data()
        data.setup()
        return data

    return make


def lines(data):
    return "\n".join(line for taken in data.taken for line in taken.lines())


def test_train_and_test_are_what_torchvision_reads(tmp_path, read):
    fill(tmp_path / "photos" / "train", ending=".jpg")
    fill(tmp_path / "photos" / "test", 4, ending=".jpg", seed=1)
    data, theirs = read(tmp_path / "photos"), ImageFolder(str(tmp_path / "photos" / "test"))
    assert data.names == theirs.classes == ["ant", "cat", "dog"]
    assert data.splits["test"]["label"].tolist() == theirs.targets
    expected = np.stack([np.asarray(image) for image, _ in theirs])
    assert np.array_equal(data.splits["test"]["image"].permute(0, 2, 3, 1).numpy(), expected)


@pytest.mark.parametrize(
    ("train", "test"), [("Training", "Testing"), ("train", "val"), ("train", "valid"), ("Train", "validation")]
)
def test_parts_have_many_names(tmp_path, read, train, test):
    fill(tmp_path / "photos" / train)
    fill(tmp_path / "photos" / test, 3, seed=1)
    data = read(tmp_path / "photos")
    assert len(data.splits["test"]["label"]) == 9
    assert (f"{test}/ is the test split" in lines(data)) == test.startswith("val")


def test_beside_a_test_folder_a_validation_folder_is_left_out_and_said(tmp_path, read):
    for number, name in enumerate(("train", "val", "test")):
        fill(tmp_path / "photos" / name, 4, seed=number)
    data = read(tmp_path / "photos", validation=0.3)
    assert len(data.splits["test"]["label"]) == 12
    assert "val/ (12 pictures)" in lines(data)


def test_a_stratified_share_is_split_off_where_there_is_no_test_folder(photos, read):
    data = read(photos, validation=0.2)
    assert data.splits["test"]["label"].bincount().tolist() == [2, 2, 2]
    assert "6 pictures are split off for testing (data.test=0.2)" in lines(data)
    assert read(photos, validation=0.2, test=0.4).splits["test"]["label"].bincount().tolist() == [4, 4, 4]


def test_other_kinds_of_picture_become_uint8_rgb_and_it_is_said(photos, read):
    x, grey = pixels(100, 7), pixels(100, 8)[..., 0]
    made = {
        "a.png": Image.fromarray(grey),
        "b.png": Image.fromarray(x).quantize(16),
        "c.png": Image.fromarray(np.dstack([x, np.full((16, 16), 100, np.uint8)])),
        "d.jpg": Image.fromarray(x).convert("CMYK"),
        "e.png": Image.fromarray(grey.astype(np.uint16) * 257),
        "f.gif": Image.fromarray(x),
        "g.bmp": Image.fromarray(x),
        "h.webp": Image.fromarray(x),
        "i.tiff": Image.fromarray(x),
        "j.PNG": Image.fromarray(grey > 100),
    }
    for name, image in made.items():
        image.save(photos / "ant" / name)
    turned = Image.fromarray(x)
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(photos / "ant" / "k.png", exif=exif)
    data = read(photos, validation=0.2)
    for what in ("opacity left out", "CMYK made RGB", "16 bits a pixel scaled to 8", "turned upright by EXIF"):
        assert f"1 pictures: {what}" in lines(data)
    found = {image.tobytes() for part in data.splits.values() for image in part["image"].permute(0, 2, 3, 1).numpy()}
    for name, expected in {"a": np.repeat(grey[..., None], 3, 2), "c": x, "g": x, "i": x,
                           "e": np.repeat(grey[..., None], 3, 2), "k": np.rot90(x, -1)}.items():  # fmt: skip
        assert np.ascontiguousarray(expected).tobytes() in found, name


def test_pictures_of_several_sizes_are_asked_about_and_resized(photos, read):
    Image.fromarray(pixels(60, 5, (20, 30))).save(photos / "cat" / "wide.png")
    with pytest.raises(FulmenError, match=r"2 sizes, from 16 x 16 to 20 x 30 .*data\.size=32 resizes all"):
        read(photos)
    data = read(photos, size=32, validation=0.2)
    assert data.splits["train"]["image"].shape[2:] == (32, 32)
    assert "resized" in lines(data)
    assert read(photos, size=[8, 24], validation=0.2).splits["train"]["image"].shape[2:] == (8, 24)


def test_what_is_no_picture_is_left_out_and_counted(photos, read):
    for name in ("Thumbs.db", ".DS_Store", "._0.png", "notes.txt"):
        (photos / "cat" / name).write_bytes(b"text")
    (photos / "__MACOSX").mkdir()
    (photos / ".git").mkdir()
    (photos / "labels.csv").write_text("a,b\n")
    Image.fromarray(pixels(60, 5)).save(photos / "cover.png")
    data = read(photos, validation=0.2)
    assert data.names == ["ant", "cat", "dog"]
    assert "hidden files and those of an operating system: 5" in lines(data)
    assert "files that are no pictures: 2 (cat/notes.txt, labels.csv)" in lines(data)
    assert "pictures beside the folders of the classes: 1 (cover.png)" in lines(data)


def test_copies_are_counted(photos, read):
    shutil.copy(photos / "cat" / "0.png", photos / "cat" / "again.png")
    shutil.copy(photos / "cat" / "1.png", photos / "dog" / "also.png")
    (taken,) = read(photos, validation=0.2).taken
    assert sum("copies" in doubt for doubt in taken.doubts) >= 1
    assert "1 copies of an image have another label than it (cat and dog)" in taken.doubts


def broken(folder):
    content = (folder / "cat" / "0.png").read_bytes()
    (folder / "cat" / "0.png").write_bytes(content[: len(content) // 2])


def only(folder, name="dataset"):
    for each in list(folder.iterdir()):
        (folder / name).mkdir(exist_ok=True)
        each.rename(folder / name / each.name)


REFUSED = {
    "damaged": (broken, r"cat/0\.png is damaged: its pixels break off"),
    "no content": (lambda f: (f / "cat" / "0.png").write_bytes(b""), r"cat/0\.png is empty"),
    "a page": (lambda f: (f / "cat" / "0.png").write_bytes(b"<html>404"), r"cat/0\.png is no picture but a page"),
    "HEIC": (lambda f: (f / "cat" / "0.heic").write_bytes(b"x"), r"0\.heic is a picture of a kind that is not read"),
    "an empty class": (lambda f: (f / "bird").mkdir(), r"bird holds no picture; .* rmdir '.*bird'"),
    "one class": (lambda f: [shutil.rmtree(f / name) for name in ("cat", "dog")], "one class alone"),
    "a folder around": (only, r"are these the classes\? Then data\.folder=.*dataset"),
    "no folders": (lambda f: [e.rename(f / f"{e.parent.name}{e.name}") for e in list(f.glob("*/*"))]
                   and [shutil.rmtree(f / name) for name in CLASSES], "30 pictures and no folders of classes"),
    "case alone": (lambda f: fill(f / "x") and (f / "x" / "cat").rename(f / "Cat") and shutil.rmtree(f / "x"),
                   "differ in case or spaces alone"),
    "nearly black": (lambda f: Image.fromarray(np.full((16, 16), 900, np.uint16)).save(f / "cat" / "0.png"),
                     r"cat/0\.png has 16 bits a pixel and nothing brighter than 900"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_in_one_line(photos, read, case):
    change, message = REFUSED[case]
    change(photos)
    with pytest.raises(FulmenError, match=message) as refused:
        read(photos)
    assert "\n" not in str(refused.value)


def test_a_test_folder_without_classes_is_left_out_and_a_share_split_off(tmp_path, read):
    fill(tmp_path / "photos" / "train")
    (tmp_path / "photos" / "test").mkdir()
    Image.fromarray(pixels(60, 5)).save(tmp_path / "photos" / "test" / "1.png")
    data = read(tmp_path / "photos", validation=0.2)
    assert len(data.splits["test"]["label"]) == 6
    assert "test/, which has no pictures in folders of classes, 1 pictures without classes" in lines(data)


def test_a_link_that_leads_back_is_followed_once(photos, read):
    (photos / "cat" / "again").symlink_to(photos / "cat")
    assert sum(len(part["label"]) for part in read(photos, validation=0.2).splits.values()) == 30


def test_a_class_of_the_test_folder_alone_is_refused(tmp_path, read):
    fill(tmp_path / "photos" / "train")
    fill(tmp_path / "photos" / "test", 3, seed=1)
    (tmp_path / "photos" / "test" / "cat").rename(tmp_path / "photos" / "test" / "bird")
    with pytest.raises(FulmenError, match="has the class bird, of which"):
        read(tmp_path / "photos")


def test_a_file_and_no_folder_are_named(tmp_path):
    (tmp_path / "photos.zip").write_bytes(b"PK")
    with pytest.raises(FulmenError, match="unpack it where it is an archive"):
        ImagesData(folder=str(tmp_path / "photos.zip"), classes=2).prepare_data()
    with pytest.raises(FulmenError, match=r"folder: there is no folder .*none"):
        ImagesData(folder=str(tmp_path / "none"))
    with pytest.raises(FulmenError, match="arrays and folder exclude each other"):
        ImagesData(folder=str(tmp_path), arrays="x.npz")
    with pytest.raises(FulmenError, match="only the pictures of a folder are resized"):
        ImagesData(size=32)


def test_the_config_counts_the_classes_of_a_folder_and_of_a_file(photos, tmp_path):
    cfg = check_overrides(["experiment=images_plain", "data=image_folder", f"data.folder={photos}"])
    assert (cfg.data.classes, cfg.model.network.classes, cfg.model.loss.classes) == (3, 3, 3)
    np.savez(tmp_path / "photos.npz", x_train=pixels(9, 9)[None], y_train=np.arange(7) % 4)
    cfg = check_overrides(["experiment=images_plain", "data=image_arrays", f"data.arrays={tmp_path}/photos.npz",
                           "data.test=0.2"])  # fmt: skip
    assert cfg.model.network.classes == 4
    typed = ["experiment=images_plain", "data=image_arrays", f"data.arrays={tmp_path}/photos.npz", "data.classes=6"]
    assert check_overrides(typed).model.network.classes == 6
    with pytest.raises(ConfigError, match=r"data\.folder"):
        check_overrides(["experiment=images_plain", "data=image_folder"])


def test_a_folder_trains_a_network_for_its_classes(photos, tmp_path):
    typed = ["experiment=images_plain", "data=image_folder", f"data.folder={photos}", "data.validation=0.2"]
    cfg = check_overrides([*typed, f"data.cache={tmp_path}/cache", "model.network.pixels=16"])
    data, model = build(cfg.data, "data"), build(cfg.model, "model")
    data.prepare_data()
    data.setup()
    assert model(data.splits["train"]["image"][:2]).shape == (2, 3)


@pytest.fixture
def schema(photos, read):
    return predict.schema(read(photos, validation=0.2))


def test_pictures_are_predicted_one_or_a_folder_of_them(photos, schema, tmp_path):
    one = predict.read_file(photos / "cat" / "3.png", schema).batch["image"]
    assert np.array_equal(one[0].permute(1, 2, 0).numpy(), np.asarray(Image.open(photos / "cat" / "3.png")))
    assert predict.read_file(photos / "cat", schema).rows == 10
    Image.fromarray(pixels(60, 5, (20, 30))).save(tmp_path / "wide.png")
    with pytest.raises(FulmenError, match=r"wide\.png is 20 x 30 .*trained on 16 x 16"):
        predict.read_file(tmp_path / "wide.png", schema)
    (tmp_path / "none").mkdir()
    with pytest.raises(FulmenError, match="holds no picture"):
        predict.read_file(tmp_path / "none", schema)


X = np.stack([pixels(90, i) for i in range(5)])


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (X, ""),
        (X / 255, r"data\.pixel_range=\[0,1\]"),
        (X.transpose(0, 3, 1, 2), r"data\.channels=first"),
        (X.astype(np.int64), "int64"),
        (X[:1][0], "one image of 16 x 16"),
    ],
)
def test_arrays_are_predicted_as_they_are_read_for_training(schema, tmp_path, array, said):
    np.save(tmp_path / "x.npy", array)
    inputs = predict.read_file(tmp_path / "x.npy", schema)
    assert np.array_equal(inputs.batch["image"].permute(0, 2, 3, 1).numpy(), X if array.ndim == 4 else X[:1])
    assert re.search(said, " ".join(inputs.warnings))


@pytest.mark.parametrize(
    ("array", "message", "reading"),
    [
        (X[..., 0] // 128, r"nearly black.*data\.pixel_range=\[0,1\]", {"pixel_range": [0, 1]}),
        (X / 255 - 0.5, r"data\.pixel_range=\[-0\.5,0\.5\]", {"pixel_range": [-0.5, 0.5]}),
        (X[0].transpose(2, 0, 1), r"one image in colour, or three grey ones\? Save x\[None\]", None),
        (X.astype(str), "pixels are numbers", None),
    ],
)
def test_at_predicting_too_what_is_unsure_is_asked_about(schema, tmp_path, array, message, reading):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(FulmenError, match=message):
        predict.read_file(tmp_path / "x.npy", schema)
    if reading:
        assert predict.read_file(tmp_path / "x.npy", schema, **reading).rows == 5


def test_an_array_of_another_name_is_asked_about_at_predicting(schema, tmp_path):
    np.savez(tmp_path / "x.npz", images=X)
    with pytest.raises(FulmenError, match=r"is it images as x\? Then 'data\.columns=\{x:images\}'"):
        predict.read_file(tmp_path / "x.npz", schema)
    assert predict.read_file(tmp_path / "x.npz", schema, columns={"x": "images"}).rows == 5
