"""What a detector tells of itself and of pictures."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Union

import numpy as np


@dataclass(frozen=True)
class Bitmap:
    """Which pixels of a box belong to the object."""

    x: int
    """Left, of the box in whole pixels of the source."""
    y: int
    """Top."""
    data: np.ndarray = field(repr=False)
    """bool [height, width]"""


Mask = Union[Bitmap, Dict[str, List[int]]]
"""Or COCO's uncompressed run lengths: {"size": [height, width], "counts": [...]}, as pycocotools takes them."""


@dataclass(frozen=True)
class Box:
    """Best score first in a list of them."""

    x: float
    """Left, in pixels of the source."""
    y: float
    """Top."""
    width: float
    height: float
    score: float
    """0 … 1."""
    label: int
    """Index of the class."""
    name: str
    """Of the class."""
    mask: Optional[Mask] = field(default=None, repr=False, compare=False)
    """Its pixels, where they were asked for."""


@dataclass(frozen=True)
class Times:
    """Milliseconds."""

    pixels: float
    """From the source to RGBA bytes in the engine."""
    prep: float
    """Letterbox and input quantisation."""
    run: float
    """The network."""
    post: float
    """Decoding and NMS."""
    total: float


@dataclass(frozen=True)
class Result:
    """Of one picture."""

    boxes: List[Box]
    width: int
    """Of the source, upright, in pixels."""
    height: int
    times: Times = field(compare=False)
    corners: np.ndarray = field(repr=False, compare=False)
    """float32 [boxes, 4]: x1, y1, x2, y2 of each box."""


@dataclass(frozen=True)
class LayerInfo:
    """What the file says of a layer."""

    operation: str
    activation: str
    channels_in: int
    channels_out: int
    kernel_height: int
    kernel_width: int
    stride: int
    blocks: int
    """1×4 weight blocks, 0 without weights."""
    blocks_present: int
    """Those that are not all zero."""
    is_head: bool
    """Whether what it writes is decoded to boxes."""
    bytes: int
    """In the file."""


@dataclass(frozen=True)
class Info:
    """What runs, and what the model's file says of itself."""

    input_width: int
    """The size that the file asks for."""
    input_height: int
    stride: int
    """Width and height are multiples of it."""
    masks: int
    """Prototypes that masks are made of; 0: it finds boxes only."""
    classes: List[str]
    layers: List[LayerInfo] = field(repr=False)
    provenance: Dict[str, Any] = field(repr=False)
    """Where the file comes from, as it says itself."""
    width: int
    """Of the network's input here."""
    height: int
    threads: int
    kernels: str
    """The instructions in use, such as "relaxed"."""
    signed_bytes: bool
    """Whether activations are stored with their top bit flipped, as Arm's dot product needs."""
    memory: int
    """Bytes of the whole engine."""
    macs: float
    """Multiply-adds a frame, absent blocks not counted."""
