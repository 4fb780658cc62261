"""Cheap changes to a batch that make a picture worth another look: turns, mirrors, light."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

LEAST = 8  # pixels: a box whose longer side is less is dropped from a mosaic


def turn(
    images: np.ndarray, boxes: list[np.ndarray], rng: np.random.Generator, turns: bool
) -> None:
    """Mirrors, and with `turns` quarter turns, in place. Boxes are class, x, y, w, h in pixels."""
    size = images.shape[1]
    for i, b in enumerate(boxes):
        b = b.copy()
        if rng.random() < 0.5:
            images[i] = images[i, :, ::-1].copy()
            b[:, 1] = size - b[:, 1]
        if turns and rng.random() < 0.5:
            images[i] = images[i, ::-1].copy()
            b[:, 2] = size - b[:, 2]
        if turns and rng.random() < 0.35:
            images[i] = images[i].transpose(1, 0, 2).copy()
            b[:, 1:3], b[:, 3:5] = b[:, 2:0:-1].copy(), b[:, 4:2:-1].copy()
        boxes[i] = b


def joined(images: np.ndarray, boxes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Four pictures of one size → one of that size: more to learn from for the same work."""
    half = images.shape[1] // 2
    small = [cv2.resize(image, (half, half), interpolation=cv2.INTER_AREA) for image in images]
    picture = np.vstack((np.hstack(small[:2]), np.hstack(small[2:])))
    moved = []
    for k, b in enumerate(boxes):
        b = b.copy()
        b[:, 1:] /= 2
        b[:, 1:3] += (k % 2 * half, k // 2 * half)
        moved.append(b[b[:, 3:].max(1) > LEAST])
    return picture, np.vstack(moved)


def to_tensors(images: np.ndarray, boxes: list[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Pictures in 0…1 [n, 3, h, w] and targets [boxes, 6] = picture, class, x, y, w, h in pixels."""
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float().div_(255)
    rows = [
        np.hstack((np.full((len(b), 1), i, np.float32), b)) for i, b in enumerate(boxes) if len(b)
    ]
    targets = torch.from_numpy(np.vstack(rows)) if rows else torch.zeros(0, 6)
    return x.contiguous(memory_format=torch.channels_last), targets.float()


def relight(x: Tensor, generator: torch.Generator) -> Tensor:
    """Brightness, contrast, colour channels in another order, negatives of a few."""
    n = x.shape[0]

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(shape, generator=generator) * (high - low) + low

    gain = uniform(0.7, 1.2, n, 1, 1, 1) * uniform(0.92, 1.08, n, 3, 1, 1)
    offset = uniform(-0.1, 0.1, n, 1, 1, 1)
    x = x.mul_(gain).add_(offset).clamp_(0, 1)
    negative = (torch.rand(n, generator=generator) < 0.05).float()[:, None, None, None]
    return (x - negative).abs_()
