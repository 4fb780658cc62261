"""Boxes of a checkpoint on pictures, in the words of `wisp detect`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from .augment import to_tensors
from .draw.scene import letterbox
from .folder import read_picture
from .graph import Yolo, decode
from .metrics import boxes_of


@torch.no_grad()
def detect(model: Yolo, path: Path, confidence: float, iou: float = 0.45) -> dict:
    """Boxes in pixels of the picture, best first, cut at its edges."""
    picture = read_picture(path)
    h, w = picture.shape[:2]
    boxed, scale, left, top = letterbox(picture, model.shape.size)
    x, _ = to_tensors(boxed[None], [])
    found = boxes_of(decode(model(x), model.anchors), confidence, iou)[0]
    found = found[np.argsort(-found[:, 4], kind="stable")]
    boxes = []
    for cx, cy, bw, bh, score, label in found.tolist():
        x0, x1 = (min(max((v - left) / scale, 0), w) for v in (cx - bw / 2, cx + bw / 2))
        y0, y1 = (min(max((v - top) / scale, 0), h) for v in (cy - bh / 2, cy + bh / 2))
        name = model.shape.classes[int(label)]
        place = {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0}
        boxes.append({**place, "score": score, "label": int(label), "name": name})
    return {"file": str(path), "boxes": boxes}
