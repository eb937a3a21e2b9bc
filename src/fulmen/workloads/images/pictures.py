"""One picture of a file, as PIL reads it: uint8 [H, W, 3], upright, without opacity, and what was changed for that."""

import io
import warnings
from pathlib import Path

import numpy as np

from fulmen.errors import FulmenError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm", ".jfif")
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF", "PPM", "MPO")
OTHER_PICTURES = (
    ".heic", ".heif", ".avif", ".svg", ".cr2", ".nef", ".dng", ".arw", ".dcm", ".psd",
    ".jp2", ".jxl", ".tga", ".exr",
)  # fmt: skip
ORIENTATION = 0x0112  # the EXIF tag
WHITE_16 = 65535


def is_picture(path: Path) -> bool:
    """Whether it begins as one."""
    with path.open("rb") as file:
        begin = file.read(12)
    return (
        begin.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")) or begin[8:] == b"WEBP"
    )


def picture_of(path: Path, size: tuple[int, int] | None = None) -> tuple[np.ndarray, list[str]]:
    """The pixels of a picture, and what was changed: "turned upright by its EXIF orientation", ...

    Args:
        size: height and width to bring it to.

    Raises:
        FulmenError: the file is damaged, or no picture that is read; the message names it.
    """
    from PIL import Image, ImageOps

    try:
        content = path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata; whether the pixels are whole is an error
            with Image.open(io.BytesIO(content), formats=FORMATS) as file:
                file.load()
                image: Image.Image = file
                changes = ["the first of several frames"] if getattr(file, "n_frames", 1) > 1 else []
                if image.getexif().get(ORIENTATION, 1) != 1:
                    image, changes = ImageOps.exif_transpose(image), [*changes, "turned upright by EXIF"]
                colours, told = _in_colours(image, path)
                if content.startswith(b"\x89PNG") and content[24] == 16 and not told:  # PIL keeps the upper 8 bits
                    told = ["16 bits a pixel scaled to 8"]
                if size is not None and (colours.height, colours.width) != size:
                    colours = colours.resize((size[1], size[0]), Image.Resampling.BILINEAR)
                return np.asarray(colours), [*changes, *told]
    except FulmenError:
        raise
    except Exception as error:  # the decoders of PIL raise all kinds at damaged files
        what = _said(error, path, content if "content" in locals() else b"")
        raise FulmenError(f"{path} {what}") from error


def _in_colours(image, path: Path):  # type: ignore[no-untyped-def]  # PIL is imported late
    """The picture as RGB, and what was changed for that."""
    from PIL import Image

    mode, told = image.mode, []
    if mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > WHITE_16:
            raise FulmenError(f"{path} holds {values.min()} to {values.max()}, no 16 bits a pixel; save it with 8")
        if values.max() <= 4095 and values.max() > 0:
            raise FulmenError(
                f"{path} has 16 bits a pixel and nothing brighter than {values.max()} of {WHITE_16}: nearly black; "
                f"save it with 8 bits, scaled to 255"
            )
        grey = Image.fromarray(np.rint(values * (255 / WHITE_16)).astype(np.uint8))
        return grey.convert("RGB"), ["16 bits a pixel scaled to 8"]
    if mode == "F":
        raise FulmenError(f"{path} holds decimal numbers; save it with 8 bits a pixel, 0 to 255")
    if mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        opacity = np.asarray(image.convert("RGBA"))[..., 3]
        told.append("opacity left out" if (opacity < 255).any() else "full opacity left out")
    if mode == "CMYK":
        told.append("CMYK made RGB")
    return image.convert("RGB"), told


def _said(error: Exception, path: Path, content: bytes) -> str:
    if not path.exists():
        return "is not there any more"
    if isinstance(error, OSError) and error.errno:
        return f"cannot be read: {error.strerror}"
    if not content:
        return "is empty; delete it or copy it again"
    if content.lstrip()[:5].lower() in (b"<html", b"<!doc", b"<?xml", b"<svg "):
        return "is no picture but a page or drawing as text; fetch the picture itself"
    if type(error).__name__ == "UnidentifiedImageError":
        if content[4:12] in (b"ftypheic", b"ftypmif1", b"ftypavif", b"ftypheix"):
            return "is a HEIC or AVIF picture, which is not read; save it as PNG or JPEG"
        return "is damaged or no picture; copy it again, or save it as PNG or JPEG"
    if type(error).__name__ == "DecompressionBombError":
        return "has too many pixels to be read; save it smaller"
    return "is damaged: its pixels break off; copy it again"
