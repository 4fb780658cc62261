"""Boxes from predictions, and COCO's average precision of them."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

IOUS = np.arange(0.5, 1.0, 0.05)


def boxes_of(
    predictions: Tensor, confidence: float, iou: float, most: int = 100
) -> list[np.ndarray]:
    """Decoded predictions [n, boxes, 5 + classes] → for each picture f32 [k][6] = x, y, w, h (centre), score, class."""
    out = []
    predictions = predictions.cpu()
    scores = predictions[..., 5:] * predictions[..., 4:5]
    for p, s in zip(predictions, scores):
        best, kind = s.max(1)
        keep = best > confidence
        xywh, best, kind = (t[keep].numpy() for t in (p[:, :4], best, kind))
        corner = xywh.copy()
        corner[:, :2] -= corner[:, 2:] / 2
        chosen = (
            cv2.dnn.NMSBoxesBatched(corner, best, kind.astype(np.int32), confidence, iou)
            if len(best)
            else []
        )
        chosen = np.array(chosen, int)[:most]
        out.append(
            np.hstack((xywh, best[:, None], kind[:, None]))[chosen]
            .astype(np.float32)
            .reshape(-1, 6)
        )
    return out


def iou_matrix(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU of boxes (x, y, w, h): f32 [a][b]."""
    a1, a2 = a[:, None, :2] - a[:, None, 2:4] / 2, a[:, None, :2] + a[:, None, 2:4] / 2
    b1, b2 = b[None, :, :2] - b[None, :, 2:4] / 2, b[None, :, :2] + b[None, :, 2:4] / 2
    inter = np.clip(np.minimum(a2, b2) - np.maximum(a1, b1), 0, None).prod(2)
    return inter / (a[:, None, 2:4].prod(2) + b[None, :, 2:4].prod(2) - inter + 1e-9)


def _match(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Which of the boxes (best first) are right at each IoU: bool [found][10]."""
    right = np.zeros((len(found), len(IOUS)), bool)
    if not len(found) or not len(truth):
        return right
    overlap = iou_matrix(found, truth)
    for column, least in enumerate(IOUS):
        free = np.ones(len(truth), bool)
        for row in range(len(found)):
            candidates = np.where(free, overlap[row], 0)
            best = candidates.argmax()
            if candidates[best] >= least:
                free[best], right[row, column] = False, True
    return right


def average_precision(found: list[np.ndarray], truth: list[np.ndarray], classes: int) -> np.ndarray:
    """
    COCO's 101-point AP by class and IoU: f64 [classes][10], NaN for a class without boxes.
    `truth` are class, x, y, w, h; `found` as boxes_of gives them.
    """
    out = np.full((classes, len(IOUS)), np.nan)
    for c in range(classes):
        scores, rights, total = [], [], 0
        for f, t in zip(found, truth):
            f, t = f[f[:, 5] == c], t[t[:, 0] == c]
            f = f[np.argsort(-f[:, 4], kind="stable")]
            total += len(t)
            scores.append(f[:, 4])
            rights.append(_match(f, t[:, 1:]))
        if not total:
            continue
        order = np.argsort(-np.concatenate(scores), kind="stable")
        right = np.concatenate(rights)[order]
        hits = right.cumsum(0)
        recall, precision = hits / total, hits / np.arange(1, len(right) + 1)[:, None]
        precision = np.maximum.accumulate(precision[::-1], 0)[::-1]
        for k in range(len(IOUS)):
            at = np.searchsorted(recall[:, k], np.linspace(0, 1, 101), side="left")
            out[c, k] = np.where(
                at < len(right),
                precision[np.minimum(at, len(right) - 1), k] if len(right) else 0,
                0,
            ).mean()
    return out


@torch.no_grad()
def evaluate(
    model: torch.nn.Module, images: np.ndarray, truth: list[np.ndarray], batch: int = 25
) -> np.ndarray:
    """AP by class and IoU of a model on pictures u8 [n][h][w][3]."""
    from .augment import to_tensors
    from .graph import decode

    model.eval()
    found = []
    for i in range(0, len(images), batch):
        part = np.array(images[i : i + batch])
        x, _ = to_tensors(part, [])
        predictions = decode(model(x.to(model.anchors.device)), model.anchors)
        found += boxes_of(predictions, 0.005, 0.6)
    return average_precision(found, truth, len(model.shape.classes))
