"""Hard negatives, mined while a model learns: of several views of photographs it is shown the one that fools it most."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from . import state
from .augment import to_tensors
from .draw import camera
from .draw.photos import Photographs, View
from .draw.scene import letterbox
from .graph import Yolo, decode

CANDIDATES = 4  # views for each that is shown; half of them fooled an earlier model
KEPT = 6000  # views that fooled the model
FOOLED = 0.05  # confidence from which on a view is kept
TAKEN = 16  # pictures at once


class Miner:
    """`checkpoints`: where the newest model is; the first that exists counts."""

    def __init__(self, photos: Photographs, checkpoints: list[Path | None], size: int):
        torch.set_num_threads(1)
        self.photos, self.checkpoints, self.size = photos, checkpoints, size
        self.pool: dict[View, float] = {}
        self.model: Yolo | None = None
        self.read_at: tuple[Path, float] | None = None

    def _newest(self) -> Yolo | None:
        for path in self.checkpoints:
            if path and path.exists():
                at = (path, path.stat().st_mtime)
                if at != self.read_at:
                    self.model, self.read_at = state.load_model(path), at
                return self.model
        return None

    def pictures(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """`n` pictures without a code, u8 [n][size][size][3]."""
        model, known = self._newest(), list(self.pool)
        out = np.empty((n, self.size, self.size, 3), np.uint8)
        for i in range(0, n, TAKEN // CANDIDATES):
            count = min(TAKEN // CANDIDATES, n - i)
            views = [self._candidate(rng, known, k) for k in range(count * CANDIDATES)]
            images = np.stack([self._picture(rng, view) for view in views])
            scores = self._scores(model, images) if model else np.zeros(len(views))
            self._remember(views, scores)
            best = scores.reshape(count, CANDIDATES).argmax(1)
            out[i : i + count] = images[np.arange(count) * CANDIDATES + best]
        return out

    def _candidate(self, rng: np.random.Generator, known: list[View], k: int) -> View:
        if known and k % 2:
            return known[rng.integers(len(known))]
        return self.photos.view(rng)

    def _picture(self, rng: np.random.Generator, view: View) -> np.ndarray:
        image = self.photos.cut(view.moved(rng))
        fit = 1.5 * self.size / max(image.shape[:2])
        if fit < 1:  # the rest is work for nothing
            image = cv2.resize(image, None, fx=fit, fy=fit, interpolation=cv2.INTER_AREA)
        if rng.random() < 0.3:
            image = camera.light(rng, image)
        if rng.random() < 0.4:
            image = camera.sensor(rng, image)
        return letterbox(image, self.size)[0]

    @torch.no_grad()
    def _scores(self, model: Yolo, images: np.ndarray) -> np.ndarray:
        """The model's highest confidence on each."""
        x, _ = to_tensors(images, [])
        p = decode(model(x), model.anchors)
        return (p[..., 4:5] * p[..., 5:]).amax((1, 2)).numpy()

    def _remember(self, views: list[View], scores: np.ndarray) -> None:
        for view, score in zip(views, scores.tolist()):
            if score >= FOOLED:
                self.pool[view] = score
            else:
                self.pool.pop(view, None)
        if len(self.pool) > KEPT:
            worst = sorted(self.pool, key=self.pool.get)[: len(self.pool) - KEPT]
            for view in worst:
                del self.pool[view]
