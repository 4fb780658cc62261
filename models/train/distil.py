"""Learning from a network instead of labels: the pupil's heads and features aim at the teacher's."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .draw.scene import letterbox
from .folder import read_picture
from .graph import Yolo, decode
from .loss import BALANCE
from .metrics import boxes_of

SHOWN = 0.25  # confidence of the teacher's boxes that are held against the pupil


def _logits(model: Yolo, features: list[Tensor]) -> list[Tensor]:
    anchors = model.anchors.shape[1]
    out = []
    for head, f in zip(model.heads, features):
        n, _, h, w = f.shape
        out.append(head(f).float().view(n, anchors, -1, h, w).permute(0, 1, 3, 4, 2))
    return out


class Distil:
    """
    A loss that needs no targets. Objectness aims at the teacher's everywhere; boxes and classes where the teacher
    sees something, as much as it does; features everywhere, measured in their own spread.
    """

    def __init__(
        self, teacher: Yolo, features: float = 1.0, boxes: float = 0.5, classes: float = 1.0
    ):
        self.teacher, self.features, self.boxes, self.classes = teacher, features, boxes, classes
        for parameter in teacher.parameters():
            parameter.requires_grad_(False)

    def __call__(self, model: nn.Module, x: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            aims = self.teacher.features(x)
            wanted = _logits(self.teacher, aims)
        features = model.features(x)
        parts, likeness = x.new_zeros(3), x.new_zeros(())
        for f, aim in zip(features, aims):
            likeness = likeness + F.mse_loss(f, aim) / aim.var()
        for y, t, balance in zip(_logits(model, features), wanted, BALANCE):
            sees = t[..., 4].sigmoid()
            weight = (sees / (sees.sum() + 1e-6))[..., None]
            parts[1] = parts[1] + balance * F.binary_cross_entropy_with_logits(y[..., 4], sees)
            parts[0] = (
                parts[0]
                + (weight * F.smooth_l1_loss(y[..., :4], t[..., :4], reduction="none")).sum()
            )
            soft = F.binary_cross_entropy_with_logits(
                y[..., 5:], t[..., 5:].sigmoid(), reduction="none"
            )
            parts[2] = parts[2] + (weight * soft).sum()
        loss = (
            self.boxes * parts[0]
            + 10 * parts[1]
            + self.classes * parts[2]
            + self.features * likeness
        )
        return loss, parts.detach()


class Photos:
    """Batches of pictures without labels, strongly changed: cut, scaled, mirrored, joined."""

    turns = False

    def __init__(self, paths: list[Path], size: int, scale: float, rng: np.random.Generator):
        self.paths, self.size, self.scale, self.rng = paths, size, scale, rng
        self.kept: dict[int, np.ndarray] = {}

    def _picture(self) -> np.ndarray:
        index = int(self.rng.integers(len(self.paths)))
        if index not in self.kept:
            image = read_picture(self.paths[index])
            fit = min(1.0, 1.3 * self.size / max(image.shape[:2]))
            self.kept[index] = (
                cv2.resize(image, None, fx=fit, fy=fit, interpolation=cv2.INTER_AREA)
                if fit < 1
                else image
            )
        return self.kept[index]

    def _cut(self) -> np.ndarray:
        """A part of a picture, with the whole more likely than a small one, perhaps wider or higher than it was."""
        image = self._picture()
        h, w = image.shape[:2]
        share = 1 - self.scale * self.rng.random() ** 2
        ch, cw = (
            max(16, int(side * min(1, share * self.rng.uniform(0.85, 1.15)))) for side in (h, w)
        )
        y, x = int(self.rng.integers(0, h - ch + 1)), int(self.rng.integers(0, w - cw + 1))
        return image[y : y + ch, x : x + cw]

    def batch(self, n: int, mosaic: float = 0.0) -> tuple[np.ndarray, list[np.ndarray]]:
        out = np.empty((n, self.size, self.size, 3), np.uint8)
        half = self.size // 2
        for i in range(n):
            if self.rng.random() < mosaic:
                parts = [letterbox(self._cut(), half)[0] for _ in range(4)]
                out[i] = np.vstack((np.hstack(parts[:2]), np.hstack(parts[2:])))
            else:
                out[i] = letterbox(self._cut(), self.size)[0]
        return out, [np.zeros((0, 5), np.float32)] * n

    def close(self) -> None:
        self.kept.clear()


@torch.no_grad()
def as_taught(teacher: Yolo, paths: list[Path], size: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Pictures and the boxes that the teacher finds on them: without labels, agreement is what can be measured."""
    images = np.stack([letterbox(read_picture(p), size)[0] for p in paths])
    boxes = []
    for image in images:
        x = torch.from_numpy(image).permute(2, 0, 1)[None].to(teacher.anchors) / 255
        found = boxes_of(decode(teacher(x), teacher.anchors), SHOWN, 0.45)[0]
        boxes.append(np.hstack((found[:, 5:6], found[:, :4])))
    return images, boxes
