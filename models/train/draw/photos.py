"""Photographs without a code: backgrounds for what is drawn, and pictures that must stay without a box."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

Rng = np.random.Generator
WHOLE = 0.4  # share of views that show all of a photograph


@dataclass(frozen=True)
class View:
    """A part of a photograph, in shares of its height and width."""

    photo: int
    top: float
    left: float
    height: float
    width: float

    def moved(self, rng: Rng) -> View:
        """Nearly the same part."""
        height, width = (
            min(1.0, max(0.02, s * rng.uniform(0.85, 1.2))) for s in (self.height, self.width)
        )
        y = self.top + self.height / 2 + rng.uniform(-0.12, 0.12) * self.height
        x = self.left + self.width / 2 + rng.uniform(-0.12, 0.12) * self.width
        top = min(max(y - height / 2, 0), 1 - height)
        left = min(max(x - width / 2, 0), 1 - width)
        return View(self.photo, top, left, height, width)


@lru_cache(maxsize=256)
def _read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise OSError(f"{path} is no picture that can be read; take it out of the folder.")
    return image


class Photographs:
    """A folder of them."""

    def __init__(self, paths: list[Path]):
        self.paths = paths

    def view(self, rng: Rng) -> View:
        """All of a photograph, or a part of any size and nearly its shape."""
        photo = int(rng.integers(len(self.paths)))
        if rng.random() < WHOLE:
            return View(photo, 0, 0, 1, 1)
        share = np.exp(rng.uniform(np.log(0.2), 0))
        height, width = (min(1.0, share * rng.uniform(0.75, 1.35)) for _ in range(2))
        return View(
            photo, rng.uniform(0, 1 - height), rng.uniform(0, 1 - width), height, width
        )

    def cut(self, view: View) -> np.ndarray:
        image = _read(self.paths[view.photo])
        h, w = image.shape[:2]
        y, x = int(view.top * h), int(view.left * w)
        return image[y : y + max(8, int(view.height * h)), x : x + max(8, int(view.width * w))]

    def background(self, rng: Rng, h: int, w: int) -> np.ndarray:
        """A part of a photograph, u8 [h][w][3]."""
        image = self.cut(self.view(rng))
        fit = max(h / image.shape[0], w / image.shape[1])
        image = cv2.resize(
            image, None, fx=fit, fy=fit, interpolation=cv2.INTER_AREA if fit < 1 else cv2.INTER_LINEAR
        )
        y, x = (image.shape[0] - h) // 2, (image.shape[1] - w) // 2
        out = image[max(y, 0) : max(y, 0) + h, max(x, 0) : max(x, 0) + w]
        return np.ascontiguousarray(
            out if out.shape[:2] == (h, w) else cv2.resize(out, (w, h))
        )
