"""Open a model, detect boxes, close."""

import json
import os
import re
import threading
import time
from types import TracebackType
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Type, Union, overload

import numpy as np

from . import pictures
from .error import WispError, naming, unreadable
from .instance import Instance
from .results import Bitmap, Box, Info, LayerInfo, Mask, Result, Times

Model = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview]
"""The path of a .wisp file, or its bytes."""

Tiles = Union[str, Tuple[int, int], Tuple[int, int, float]]
""""auto", "none", or columns, rows and perhaps the overlap of neighbours."""

_PIECE = 1 << 20  # bytes of a model
_TOGETHER = 32 << 20  # bytes of the pictures that are in memory at once, if there are several


class Detector:
    """A model, ready to detect: `with Detector.open("best.wisp") as detector: detector.detect("street.jpg").boxes`.

    It computes on the thread that calls it. Threads may share one and then take turns; threads that shall compute at
    the same time have a detector each, for the engine runs without the GIL.
    """

    def __init__(self, instance: Instance, info: Info) -> None:
        """Use Detector.open."""
        self._instance: Optional[Instance] = instance
        self._turn = threading.Lock()
        self.info = info

    @classmethod
    def open(
        cls,
        model: Model,
        *,
        size: Union[int, Tuple[int, int], None] = None,
        warm_up: bool = True,
        kernels: Optional[str] = None,
    ) -> "Detector":
        """
        :param model: path of a .wisp file, which `npx wisp press` makes, or its bytes
        :param size: side, or width and height, of the network's input, multiples of the model's stride; else the
            model's own
        :param warm_up: a first detection on grey, so that the first real one is fast
        :param kernels: "auto", "narrow" or "fused", for tests and measurements
        """
        width, height = _input_size(size)
        instance = Instance()
        settings = {"width": width, "height": height, "warm_up": warm_up, "kernels": kernels}
        instance.fill("settings", instance.call("runtime_expect"), settings)
        _feed(instance, model)
        instance.require(instance.call("runtime_open"))
        return cls(instance, _describe(instance))

    @overload
    def detect(  # type: ignore[overload-overlap]
        self,
        source: pictures.Source,
        *,
        confidence: Optional[float] = ...,
        iou: Optional[float] = ...,
        max_detections: Optional[int] = ...,
        classes: Optional[Sequence[Union[str, int]]] = ...,
        class_agnostic: Optional[bool] = ...,
        multi_label: Optional[bool] = ...,
        rect: Optional[bool] = ...,
        tiles: Optional[Tiles] = ...,
        masks: Optional[str] = ...,
        background: str = ...,
        max_pixels: float = ...,
        bgr: bool = ...,
    ) -> Result: ...

    @overload
    def detect(
        self,
        source: Sequence[pictures.Source],
        *,
        confidence: Optional[float] = ...,
        iou: Optional[float] = ...,
        max_detections: Optional[int] = ...,
        classes: Optional[Sequence[Union[str, int]]] = ...,
        class_agnostic: Optional[bool] = ...,
        multi_label: Optional[bool] = ...,
        rect: Optional[bool] = ...,
        tiles: Optional[Tiles] = ...,
        masks: Optional[str] = ...,
        background: str = ...,
        max_pixels: float = ...,
        bgr: bool = ...,
    ) -> List[Result]: ...

    def detect(
        self,
        source: Any,
        *,
        confidence: Optional[float] = None,
        iou: Optional[float] = None,
        max_detections: Optional[int] = None,
        classes: Optional[Sequence[Union[str, int]]] = None,
        class_agnostic: Optional[bool] = None,
        multi_label: Optional[bool] = None,
        rect: Optional[bool] = None,
        tiles: Optional[Tiles] = None,
        masks: Optional[str] = None,
        background: str = "#ffffff",
        max_pixels: float = 100_000_000,
        bgr: bool = False,
    ) -> Any:
        """Boxes in pixels of the source. A list or tuple of sources goes through as one batch.

        Files and Pillow images are turned upright as their EXIF says.

        :param source: a path, the bytes of a picture file, a Pillow image, or an array of uint8: rows, columns and
            RGB or RGBA (or grey)
        :param confidence: boxes score above it, 0 … 1; default 0.25
        :param iou: boxes of one class overlap by at most this, 0 … 1; default 0.45
        :param max_detections: default 300
        :param classes: names or indices of the classes wanted; default all
        :param class_agnostic: suppress across classes; default False
        :param multi_label: every class above `confidence` gives a box, not only the best; default False
        :param rect: compute only the rectangle of whole strides that the picture needs of the input, as YOLOv5's
            detect does; False: all of it; default True
        :param tiles: to find small things in large pictures, overlapping tiles of a picture are looked at besides the
            whole, each as large as the whole: "auto" where it is more than twice as wide or high as the input, or
            (columns, rows), or (columns, rows, overlap) with the overlap of neighbours as a share of a tile's side,
            0 … 0.5, else 0.2; default "none"
        :param masks: of a model that segments, "bitmap" or "rle": each box has a `mask`, the pixels of the source that
            are the object; default "none"
        :param background: what shows through where a picture is transparent
        :param max_pixels: larger pictures are refused before they are decoded
        :param bgr: whether arrays are BGR or BGRA, as OpenCV has them
        """
        options = {
            "confidence": confidence,
            "iou": iou,
            "max_detections": max_detections,
            "class_agnostic": class_agnostic,
            "multi_label": multi_label,
            "rect": rect,
            **_tiling(tiles),
            "masks": masks,
        }
        reading = _reading(background, max_pixels, bgr)
        is_batch = isinstance(source, (list, tuple))
        sources = list(source) if is_batch else [source]
        results: List[Result] = []
        with self._turn:
            instance = self._open_instance()
            wanted = self._wanted(classes)
            while len(results) < len(sources):
                results += self._some(instance, sources, len(results), wanted, options, reading)
        return results if is_batch else results[0]

    def close(self) -> None:
        """Gives all memory back. Again does nothing."""
        with self._turn:
            self._instance = None

    def __enter__(self) -> "Detector":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        thrown: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def _open_instance(self) -> Instance:
        if self._instance is None:
            raise WispError("WISP_ERR_CLOSED", "The detector is closed.")
        return self._instance

    def _wanted(self, classes: Optional[Sequence[Union[str, int]]]) -> np.ndarray:
        """bool [classes]"""
        names = self.info.classes
        if classes is None:
            return np.ones(len(names), bool)
        if isinstance(classes, (str, bytes)) or not isinstance(classes, (Sequence, np.ndarray)):
            raise _wrong(f"classes is a list of names or indices, not {naming(classes)}.")
        wanted = np.zeros(len(names), bool)
        for one in classes:
            wanted[self._label(one)] = True
        return wanted

    def _label(self, wanted: Any) -> int:
        names = self.info.classes
        if isinstance(wanted, str) and wanted in names:
            return names.index(wanted)
        if isinstance(wanted, (int, np.integer)) and not isinstance(wanted, bool) and 0 <= wanted < len(names):
            return int(wanted)
        if not isinstance(wanted, (str, int, np.integer)):
            raise _wrong(f"classes is a list of names or indices, not {naming(wanted)}.")
        some = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        raise _wrong(f"The model has no class {json.dumps(wanted)}; its {len(names)} are {some}.")

    def _some(
        self,
        instance: Instance,
        sources: List[pictures.Source],
        first: int,
        wanted: np.ndarray,
        options: Dict[str, Any],
        reading: pictures.Reading,
    ) -> List[Result]:
        """Results of the sources from `first` on: as many as fit into memory together, one at least."""
        sizes: List[Tuple[int, int]] = []
        spent: List[float] = []
        for source in sources[first:]:
            if sum(width * height * 4 for width, height in sizes) > _TOGETHER:
                break
            started = time.perf_counter()
            sizes.append(self._read(instance, len(sizes), source, first + len(sizes), len(sources), reading))
            spent.append((time.perf_counter() - started) * 1000)
        instance.fill("options", instance.call("runtime_options"), options)
        instance.bytes(instance.call("runtime_class_filter"), len(wanted))[:] = wanted
        instance.require(instance.call("runtime_detect", len(sizes)))
        masks = options["masks"]
        return [self._result(instance, i, size, spent[i], masks) for i, size in enumerate(sizes)]

    def _read(
        self, instance: Instance, place: int, source: Any, index: int, count: int, reading: pictures.Reading
    ) -> Tuple[int, int]:
        try:
            return pictures.read(instance, place, source, reading)
        except WispError as refusal:
            if refusal.code not in ("WISP_ERR_SOURCE", "WISP_ERR_MEMORY"):
                raise
            name = pictures.name_of(source, index, count)
            raise WispError(refusal.code, f"{name}: {refusal.message}") from refusal.__cause__

    def _result(
        self, instance: Instance, place: int, size: Tuple[int, int], pixels: float, masks: Optional[str]
    ) -> Result:
        told = instance.read("result", instance.call("runtime_result", place))
        times = Times(
            pixels, told["prep"], told["run"], told["post"], pixels + told["prep"] + told["run"] + told["post"]
        )
        structs = instance.structs("box", told["boxes"], told["count"])
        corners = np.stack([structs[name] for name in ("x1", "y1", "x2", "y2")], axis=1)
        places = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]]).tolist()
        labels, scores = structs["label"].tolist(), structs["score"].tolist()
        all_masks = _masks(instance, told["masks"], len(labels), masks, size)
        boxes = [
            Box(x, y, width, height, score, label, self.info.classes[label], mask)
            for (x, y, width, height), score, label, mask in zip(places, scores, labels, all_masks)
        ]
        return Result(boxes, *size, times, corners)


def _masks(
    instance: Instance, at: int, count: int, form: Optional[str], size: Tuple[int, int]
) -> Sequence[Optional[Mask]]:
    """Of each box; None where none are wanted."""
    if form not in ("bitmap", "rle"):
        return [None] * count
    masks: List[Optional[Mask]] = []
    for struct in instance.structs("mask", at, count):
        x, y, width, height = (int(struct[name]) for name in ("x", "y", "width", "height"))
        runs = instance.bytes(int(struct["runs"]), int(struct["count"]) * 4).view("<u4")
        if form == "rle":
            masks.append({"size": [size[1], size[0]], "counts": runs.tolist()})
            continue
        bits = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
        masks.append(Bitmap(x, y, bits.reshape(height, width)))
    return masks


def _input_size(size: Any) -> Tuple[int, int]:
    """Width and height; 0: the model's own."""
    if size is None:
        return 0, 0
    sides = (size, size) if isinstance(size, (int, np.integer)) else size
    if isinstance(sides, (tuple, list)) and len(sides) == 2:
        width, height = sides
        if all(isinstance(side, (int, np.integer)) and not isinstance(side, bool) and side > 0 for side in sides):
            return int(width), int(height)
    raise _wrong(f"size is a side or (width, height), in pixels, not {size!r:.80}.")


def _tiling(tiles: Any) -> Dict[str, Any]:
    if tiles is None or (isinstance(tiles, str) and tiles in ("auto", "none")):
        return {"tiles": tiles}
    if isinstance(tiles, (tuple, list)) and len(tiles) in (2, 3):
        columns, rows, overlap = (*tiles, None)[:3]
        if columns is not None and rows is not None:
            return {"tiles": "grid", "tile_columns": columns, "tile_rows": rows, "tile_overlap": overlap}
    raise _wrong(f'tiles is "auto", "none" or (columns, rows), not {naming(tiles)}.')


def _reading(background: Any, max_pixels: Any, bgr: Any) -> pictures.Reading:
    colour = re.fullmatch("#([0-9a-fA-F]{6})", background) if isinstance(background, str) else None
    if colour is None:
        raise _wrong(f'background is a colour such as "#ffffff", not {naming(background)}.')
    if isinstance(max_pixels, bool) or not isinstance(max_pixels, (int, float)) or not max_pixels >= 1:
        raise _wrong(f"max_pixels is a number from 1 on, not {naming(max_pixels)}.")
    if not isinstance(bgr, bool):
        raise _wrong(f"bgr is True or False, not {naming(bgr)}.")
    return pictures.Reading(int(colour[1], 16), max_pixels, bgr)


# ---- the model ----


def _feed(instance: Instance, model: Model) -> None:
    """The model's bytes, piece by piece, into the engine."""
    is_path = isinstance(model, (str, os.PathLike))
    name = os.fspath(model) if is_path else "The model buffer"  # type: ignore[arg-type]
    loaded = size = 0
    for piece in _pieces(model):
        if loaded == 0 and not piece.startswith(b"WISP"[: len(piece)]):
            raise _stranger(name, piece)
        at = instance.call("runtime_model_buffer", len(piece))
        if at == 0:
            raise WispError("WISP_ERR_MEMORY", f"There is no memory for {len(piece)} bytes of the model.")
        instance.bytes(at, len(piece))[:] = np.frombuffer(piece, np.uint8)
        try:
            instance.require(instance.call("runtime_feed", len(piece)))
        except WispError as refusal:
            raise WispError(refusal.code, f"{name}: {refusal.message}") from None
        size = instance.call("runtime_model_size")  # as the file itself says
        loaded += len(piece)
    if size == 0 or loaded < size:
        of = f"{loaded} of {size} bytes" if size else f"{loaded} bytes"
        sentence = f"{name} ends after {of}: it was cut short, fetch it again."
        raise WispError("WISP_ERR_TRUNCATED", sentence)


def _pieces(model: Any) -> Iterator[bytes]:
    if isinstance(model, (bytes, bytearray, memoryview)):
        whole = bytes(model)
        yield from (whole[at : at + _PIECE] for at in range(0, len(whole), _PIECE))
    elif isinstance(model, (str, os.PathLike)):
        try:
            with open(model, "rb") as file:
                yield from iter(lambda: file.read(_PIECE), b"")
        except (OSError, ValueError) as cause:
            raise unreadable(str(os.fspath(model)), cause) from cause
    else:
        raise _wrong(f"A model is a path or the bytes of a .wisp file, not {naming(model)}.")


def _stranger(name: Any, piece: bytes) -> WispError:
    advice = ""
    if piece.startswith((b"PK\x03\x04", b"\x08")):
        what = "a PyTorch checkpoint or another zip archive" if piece.startswith(b"PK") else "an ONNX file"
        advice = ' "npx wisp press" makes a .wisp file of it.'
    else:
        what = f"a file that begins with {piece[:4].hex(' ')}"
    return WispError("WISP_ERR_FORMAT", f"{name} is no .wisp file but {what}.{advice}")


def _describe(instance: Instance) -> Info:
    told = instance.read("model", instance.call("runtime_model"))
    classes = [instance.text(instance.call("runtime_class", i)) for i in range(told.pop("classes"))]
    layers = [LayerInfo(**instance.read("layer", instance.call("runtime_layer", i))) for i in range(told.pop("layers"))]
    provenance = _parsed(told.pop("provenance"))
    detector = instance.read("detector", instance.call("runtime_detector"))
    runs = {**detector, "memory": instance.size()}
    return Info(classes=classes, layers=layers, provenance=provenance, **told, **runs)


def _parsed(text: str) -> Dict[str, Any]:
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _wrong(sentence: str) -> WispError:
    return WispError("WISP_ERR_ARGUMENT", sentence)
