"""Named arrays of an `.npz`, or the one of an `.npy`. What the file is, its content says; nothing in it is executed."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path

import numpy as np

from fulmen.errors import FulmenError

HDF5 = "with h5py: np.savez('{stem}.npz', **{{name: file[name][()] for name in file}})"
PICTURE = "pictures are read from folders of their classes: data=image_folder data.folder=..."
UNPACK = "unpack it first"
KINDS = (  # first bytes, what begins so, what to do
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", HDF5),
    (b"MATLAB 5.0 MAT-file", "a MATLAB file", "with SciPy: np.savez('{stem}.npz', **scipy.io.loadmat('{name}'))"),
    (b"\x89PNG", "a PNG picture", PICTURE),
    (b"\xff\xd8\xff", "a JPEG picture", PICTURE),
    (b"GIF8", "a GIF picture", PICTURE),
    (b"BM", "a BMP picture", PICTURE),
    (b"II*\x00", "a TIFF picture", PICTURE),
    (b"MM\x00*", "a TIFF picture", PICTURE),
    (b"RIFF", "a WebP picture", PICTURE),
    (b"\x80\x02", "a pickle", "load it where you trust it, and write np.savez('{stem}.npz', ...) of plain arrays"),
    (b"\x80\x03", "a pickle", "load it where you trust it, and write np.savez('{stem}.npz', ...) of plain arrays"),
    (b"\x80\x04", "a pickle", "load it where you trust it, and write np.savez('{stem}.npz', ...) of plain arrays"),
    (b"\x80\x05", "a pickle", "load it where you trust it, and write np.savez('{stem}.npz', ...) of plain arrays"),
    (b"PAR1", "a Parquet table", "np.savez('{stem}.npz', ...) writes named arrays"),
    (b"SQLite format 3", "an SQLite database", "np.savez('{stem}.npz', ...) writes named arrays"),
    (b"\x00\x00\x08\x03", "an IDX file of pictures, as MNIST's are", "np.savez('{stem}.npz', ...) writes named arrays"),
    (b"\x00\x00\x08\x01", "an IDX file of labels, as MNIST's are", "np.savez('{stem}.npz', ...) writes named arrays"),
    (b"BZh", "packed by bzip2", UNPACK),
    (b"\xfd7zXZ", "packed by xz", UNPACK),
    (b"7z\xbc\xaf", "a 7z archive", UNPACK),
    (b"Rar!", "a RAR archive", UNPACK),
    (b"%PDF", "a PDF", "np.savez('{stem}.npz', ...) writes named arrays"),
)
GZIP, ZIP, NPY = b"\x1f\x8b", b"PK", b"\x93NUMPY"


def names_in(path: Path) -> list[str]:
    """The names of the arrays in an `.npz`; that in an `.npy` is called `x`.

    Raises:
        FulmenError: there is no such file, or it is something else; the message says what and what to do.
    """
    file = opened(path)
    return ["x"] if is_npy(file) else [name.removesuffix(".npy") for name in _members(file, path)]


def read_arrays(path: Path, names: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays in an `.npz` by name, or what is in an `.npy` as `x`.

    Args:
        names: of those to read, which have to be there; all by default.

    Raises:
        FulmenError: as `names_in`; an array of objects, which only running code could read, or a damaged one.
    """
    file = opened(path)
    if is_npy(file):
        return {"x": _array(file, path, "")}
    wanted = [name.removesuffix(".npy") for name in _members(file, path)] if names is None else list(names)
    found = {}
    with zipfile.ZipFile(file) as archive:
        for name in wanted:
            try:
                with archive.open(f"{name}.npy") as member:
                    found[name] = _array(member, path, f"{name} ")
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
                raise FulmenError(
                    f"{path} is damaged or no .npz: the array {name} breaks off or has changed"
                ) from error
    return found


def opened(path: Path) -> Path | io.BytesIO:
    """The file itself, or what is in it where it is packed by gzip.

    Raises:
        FulmenError: it is not there, or neither an `.npz` nor an `.npy`.
    """
    if path.is_dir():
        raise FulmenError(f"{path} is a folder; name an .npz in it, or take data=image_folder data.folder={path}")
    if not path.is_file():
        raise FulmenError(f"there is no file {path}")
    with path.open("rb") as file:
        begin = file.read(16)
        if begin.startswith(GZIP):
            file.seek(0)
            try:
                inside = io.BytesIO(gzip.decompress(file.read()))
            except (OSError, EOFError, zlib.error) as error:
                raise FulmenError(f"{path} is damaged or no .npz: what is packed in it by gzip breaks off") from error
            _refuse_others(inside.getvalue()[:512], path)
            return inside
    _refuse_others(begin + path.open("rb").read(512)[16:] if begin else b"", path)
    return path


def is_npy(file: Path | io.BytesIO) -> bool:
    """Whether it is a single array."""
    if isinstance(file, io.BytesIO):
        return file.getvalue().startswith(NPY)
    with file.open("rb") as begin:
        return begin.read(6) == NPY


def what_is(begin: bytes) -> tuple[str, str]:
    """What a file is by its first bytes, and what to do with it; "" and "" if that is not known."""
    for first, what, cure in KINDS:
        if begin.startswith(first):
            return what, cure
    if begin[257:262] == b"ustar":
        return "a tar archive", UNPACK
    return "", ""


def _refuse_others(begin: bytes, path: Path) -> None:
    if begin.startswith((ZIP, NPY)):
        return
    named = {"name": path.name, "stem": path.name.partition(".")[0]}
    what, cure = what_is(begin)
    if not begin:
        raise FulmenError(f"{path} is damaged or no .npz: it is empty")
    if what:
        raise FulmenError(f"{path} is no .npz but {what}; {cure.format(**named)}")
    text = begin.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    if all(sign.isprintable() or sign in "\r\n\t" for sign in text):
        raise FulmenError(f"{path} is no .npz but text; np.savez('{named['stem']}.npz', ...) writes named arrays")
    raise FulmenError(f"{path} is damaged or no .npz: it begins as none; np.savez writes one")


def _members(file: Path | io.BytesIO, path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise FulmenError(f"{path} is damaged or no .npz: it begins as one and breaks off; copy it again") from error
    arrays = [name for name in names if name.endswith(".npy")]
    if arrays:
        return arrays
    if any(name.endswith("data.pkl") for name in names):
        raise FulmenError(
            f"{path} is no .npz but a file of torch.save; load it where you trust it, and write "
            f"np.savez('{path.name.partition('.')[0]}.npz', ...) with .numpy() of each tensor"
        )
    there = f"it holds {', '.join(names[:3])}{', ...' * (len(names) > 3)}" if names else "it holds nothing"
    raise FulmenError(f"{path} is no .npz but a zip archive: {there}; unpack it: {PICTURE}")


def _array(file: object, path: Path, name: str) -> np.ndarray:
    try:
        return np.load(file, allow_pickle=False)  # type: ignore[arg-type, no-any-return]  # an open member, or a path
    except ValueError as error:
        if "allow_pickle" in str(error):
            text = f"{name}holds Python objects, which only running code could read"
            call = f"{name.strip() or 'x'}=np.stack(list({name.strip() or 'x'}))"
            raise FulmenError(
                f"{path}: {text}; pictures of one size: np.savez('{path.stem}.npz', {call}), text: .astype(str)"
            ) from error
        raise FulmenError(f"{path} is damaged or no .npz: {name}breaks off or is no array") from error
    except (EOFError, OSError, SyntaxError, TypeError) as error:
        raise FulmenError(f"{path} is damaged or no .npz: {name}breaks off or is no array") from error
