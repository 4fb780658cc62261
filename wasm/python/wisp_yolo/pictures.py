"""Any picture as its caller has it → RGBA bytes in the engine, upright, on a background where it is transparent."""

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, NamedTuple, Tuple, Union

import numpy as np

from .error import WispError, naming, unreadable
from .instance import Instance

if TYPE_CHECKING:
    from PIL.Image import Image

Source = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, "np.ndarray[Any, Any]", "Image"]
"""A path, the bytes of a picture file, an array of uint8 in rows, columns and RGB or RGBA, or a Pillow image."""

MOST_SIDE = 32768  # of a frame, as core/wisp.h has it
_READ_BY_PILLOW: Dict[str, Callable[[bytes], bool]] = {
    "WebP": lambda file: file[:4] == b"RIFF" and file[8:12] == b"WEBP",
    "TIFF": lambda file: file[:4] in (b"II*\0", b"MM\0*"),
    "AVIF": lambda file: file[4:12] in (b"ftypavif", b"ftypavis"),
}
_HEIC = (b"ftyphei", b"ftyphev", b"ftypmif", b"ftypmsf")


class Reading(NamedTuple):
    """How pictures are read."""

    background: int
    """0xRRGGBB."""
    max_pixels: float
    bgr: bool
    """Whether arrays are BGR or BGRA."""


def name_of(source: Source, index: int, count: int) -> str:
    """What sentences call a picture."""
    if isinstance(source, (str, os.PathLike)):
        return str(os.fspath(source))[:200]
    return f"Picture {index + 1} of {count}" if count > 1 else "The picture"


def read(instance: Instance, index: int, source: Source, reading: Reading) -> Tuple[int, int]:
    """Puts picture `index` of the batch into the engine; its width and height. Sentences don't name it yet."""
    if isinstance(source, (str, os.PathLike)):
        return _read_file(instance, index, _load(source), reading)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _read_file(instance, index, bytes(source), reading)
    pillow = sys.modules.get("PIL.Image")
    if pillow is not None and isinstance(source, pillow.Image):
        return _read_pillow(instance, index, source, reading)
    if isinstance(source, np.ndarray) or hasattr(source, "__array__"):
        return _show(instance, index, _pixels(np.asarray(source), reading.bgr), reading)
    kinds = "a path, the bytes of a picture file, an array or a Pillow image"
    raise _refusal(f"A picture is {kinds}, not {naming(source)}.")


def _load(path: Union[str, "os.PathLike[str]"]) -> bytes:
    name = str(os.fspath(path))
    if name.startswith(("http:", "https:")):
        raise _refusal("Addresses are not fetched: give the bytes of the picture file.")
    try:
        return Path(name).read_bytes()
    except (OSError, ValueError) as cause:
        raise unreadable(name, cause) from cause


# ---- files ----


def _read_file(instance: Instance, index: int, file: bytes, reading: Reading) -> Tuple[int, int]:
    try:
        at = _borrow(instance, len(file))
        instance.bytes(at, len(file))[:] = np.frombuffer(file, np.uint8)
        read_at = instance.call("reactor_read", len(file), float(reading.max_pixels), reading.background)
        picture = instance.read("picture", read_at)
        if picture["status"] == "unknown":
            return _read_other(instance, index, file, reading)
        if picture["status"] != "ok":
            raise _refused(picture, reading.max_pixels)
        width, height = picture["width"], picture["height"]
        room = _room(instance, index, width, height)
        instance.bytes(room, width * height * 4)[:] = instance.bytes(picture["rgba"], width * height * 4)
        return width, height
    finally:
        instance.call("reactor_release")


def _refused(picture: Any, max_pixels: float) -> WispError:
    status, width, height = picture["status"], picture["width"], picture["height"]
    if status == "too-large":
        return _too_large(width, height, max_pixels)
    if status == "memory":
        return WispError("WISP_ERR_MEMORY", "There is no memory to decode it.")
    if status == "lacking":
        percent = min(100, max(1, round(picture["lacking"] * 100)))
        return _refusal(f"It breaks off: {percent} % of its rows are missing. Copy or fetch it again.")
    return _refusal(f"It is damaged or of a kind that is not supported: {picture['why']}.")


def _read_other(instance: Instance, index: int, file: bytes, reading: Reading) -> Tuple[int, int]:
    """A format that our decoder doesn't know and Pillow may."""
    kind = next((name for name, fits in _READ_BY_PILLOW.items() if fits(file)), None)
    if file[4:11] in _HEIC:
        advice = "Convert it to JPEG; an iPhone takes JPEG itself with Settings > Camera > Formats > Most Compatible"
        raise _refusal(f"It is a HEIC picture, which wisp can't decode. {advice}.")
    if kind is None:
        what = f"a file that begins with {file[:4].hex(' ')}" if file else "an empty file"
        readable = "JPEG, PNG, GIF, BMP and PNM are read, and WebP, TIFF and AVIF where Pillow is installed"
        raise _refusal(f"It is {what}, no picture; {readable}.")
    try:
        import PIL.Image
    except ImportError as cause:
        sentence = f'It is a {kind} picture: "pip install pillow" lets wisp read it.'
        raise _refusal(sentence) from cause
    try:
        with PIL.Image.open(io.BytesIO(file)) as image:
            return _read_pillow(instance, index, image, reading)
    except WispError:
        raise
    except Exception as cause:  # Pillow's decoders raise whatever they like
        sentence = f"The {kind} picture is damaged or of a kind that is not supported: {cause}."
        raise _refusal(sentence) from cause


# ---- Pillow ----


def _read_pillow(instance: Instance, index: int, image: Any, reading: Reading) -> Tuple[int, int]:
    from PIL import ImageOps

    _require_size(image.width, image.height, reading.max_pixels)
    try:
        upright = ImageOps.exif_transpose(image) or image
        clear = upright.has_transparency_data if hasattr(upright, "has_transparency_data") else True
        pixels = np.asarray(upright.convert("RGBA" if clear else "RGB"))
    except Exception as cause:  # as above: the file may break off only now
        raise _refusal(f"Pillow can't read it: {str(cause).rstrip('.')}.") from cause
    return _show(instance, index, pixels, reading._replace(bgr=False))


# ---- arrays ----


def _pixels(array: np.ndarray, bgr: bool) -> np.ndarray:
    """uint8 [height, width, 3 or 4], RGB or RGBA."""
    if array.dtype != np.uint8:
        raise _refusal(f"An array of {array.dtype} is no picture: one of uint8 is, 0 … 255.")
    shape = array.shape
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or array.size == 0:
        wanted = "rows, columns and 1, 3 (RGB) or 4 (RGBA) channels"
        raise _refusal(f"An array of shape {shape} is no picture: {wanted} are.")
    if array.shape[2] == 1:
        return np.repeat(array, 3, axis=2)
    if array.shape[2] == 4 and bgr:
        return array[:, :, [2, 1, 0, 3]]
    return array


def _show(instance: Instance, index: int, pixels: np.ndarray, reading: Reading) -> Tuple[int, int]:
    height, width, channels = pixels.shape
    _require_size(width, height, reading.max_pixels)
    room = _room(instance, index, width, height)
    if channels == 4:
        instance.bytes(room, pixels.size).reshape(pixels.shape)[:] = pixels
        instance.call("runtime_flatten", index, reading.background)
        return width, height
    try:
        at = _borrow(instance, pixels.size)
        instance.bytes(at, pixels.size).reshape(pixels.shape)[:] = pixels
        instance.call("reactor_widen", room, width * height, int(reading.bgr))
    finally:
        instance.call("reactor_release")
    return width, height


def _borrow(instance: Instance, size: int) -> int:
    """Room in the engine until it is released."""
    at = instance.call("reactor_room", size)
    if at == 0:
        raise WispError("WISP_ERR_MEMORY", f"There is no memory for its {size} bytes.")
    return at


def _room(instance: Instance, index: int, width: int, height: int) -> int:
    at = instance.call("runtime_frame_buffer", index, width, height)
    if at == 0:
        sentence = f"There is no memory for a picture of {width} × {height} pixels."
        raise WispError("WISP_ERR_MEMORY", sentence)
    return at


def _require_size(width: int, height: int, max_pixels: float) -> None:
    if width < 1 or height < 1:
        raise _refusal("It has no pixels.")
    if width > MOST_SIDE or height > MOST_SIDE or width * height > max_pixels:
        raise _too_large(width, height, max_pixels)


def _too_large(width: int, height: int, max_pixels: float) -> WispError:
    beyond = width > MOST_SIDE or height > MOST_SIDE
    why = f"sides up to {MOST_SIDE} are possible" if beyond else f"max_pixels is {max_pixels:g}"
    return _refusal(f"Its {width} × {height} pixels are too many: {why}.")


def _refusal(sentence: str) -> WispError:
    return WispError("WISP_ERR_SOURCE", sentence)
