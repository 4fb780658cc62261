"""YOLOv5's loss: CIoU of the boxes, objectness that aims at their IoU, classes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .graph import STRIDES

FOOLED = 0.03  # objectness from which on a cell of a picture without a box counts as fooled
BALANCE = (4.0, 1.0, 0.4)  # weight of objectness at strides 8, 16, 32: small cells are many
RATIO = 4.0  # an anchor takes boxes up to so many times larger or smaller than itself


@dataclass
class Gains:
    box: float = 0.05
    objectness: float = 1.0
    classes: float = 0.1
    background: float = 0.0  # of classes, where objectness is fooled; a phase sets it


def ciou(a: Tensor, b: Tensor) -> Tensor:
    """Complete IoU of boxes (x, y, w, h), row by row."""
    a1, a2 = a[:, :2] - a[:, 2:] / 2, a[:, :2] + a[:, 2:] / 2
    b1, b2 = b[:, :2] - b[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2
    inter = (torch.min(a2, b2) - torch.max(a1, b1)).clamp(0).prod(1)
    union = a[:, 2:].prod(1) + b[:, 2:].prod(1) - inter + 1e-7
    iou = inter / union
    diagonal = (torch.max(a2, b2) - torch.min(a1, b1)).pow(2).sum(1) + 1e-7
    distance = (a[:, :2] - b[:, :2]).pow(2).sum(1)
    angle = torch.atan(b[:, 2] / b[:, 3]) - torch.atan(a[:, 2] / (a[:, 3] + 1e-7))
    v = 4 / math.pi**2 * angle.pow(2)
    with torch.no_grad():
        alpha = v / (v - iou + 1 + 1e-7)
    return iou - distance / diagonal - alpha * v


def assign(targets: Tensor, anchors: Tensor, h: int, w: int, stride: int):
    """
    Which cells and anchors of one head answer for which targets: every anchor of a fitting shape, in the cell
    of the centre and its two nearest neighbours.

    targets: [n, 6] = picture, class, x, y, w, h in pixels; anchors: [a, 2] in pixels.
    Returns picture, anchor, row, column (indices) and the matched targets.
    """
    count = len(anchors)
    ratio = targets[:, None, 4:6] / anchors[None]  # [n, a, 2]
    fits = torch.max(ratio, 1 / ratio).amax(2) < RATIO
    row, anchor = fits.nonzero(as_tuple=True)
    t = targets[row]
    centre = t[:, 2:4] / stride
    size = centre.new_tensor((w, h))
    inverse = size - centre
    near, far = (centre % 1 < 0.5) & (centre > 1), (inverse % 1 < 0.5) & (inverse > 1)
    pick = torch.stack((torch.ones_like(near[:, 0]), near[:, 0], near[:, 1], far[:, 0], far[:, 1]))
    shift = row.new_tensor(((0, 0), (-1, 0), (0, -1), (1, 0), (0, 1)))
    which, index = pick.nonzero(as_tuple=True)
    cell = centre[index].long() + shift[which]
    cell = torch.stack((cell[:, 0].clamp(0, w - 1), cell[:, 1].clamp(0, h - 1)), 1)
    assert count > 0
    return t[index, 0].long(), anchor[index], cell[:, 1], cell[:, 0], t[index]


def _classes_of_nothing(y: Tensor, targets: Tensor) -> Tensor:
    """How sure of a class those cells are that see something in pictures without any box. Logits of one head."""
    bare = torch.ones(len(y), dtype=torch.bool, device=y.device)
    bare[targets[:, 0].long()] = False
    seen = y[bare]
    seen = seen[seen[..., 4].detach().sigmoid() > FOOLED]
    if not len(seen):
        return y.new_zeros(())
    return F.binary_cross_entropy_with_logits(seen[:, 5:], torch.zeros_like(seen[:, 5:]))


def yolo_loss(
    logits: list[Tensor], targets: Tensor, anchors: Tensor, gains: Gains
) -> tuple[Tensor, Tensor]:
    """Loss of a batch (summed over its pictures' mean), and (box, objectness, classes) for the log."""
    parts = anchors.new_zeros(3)
    for y, wh, stride, balance in zip(logits, anchors, STRIDES, BALANCE):
        y = y.float()
        h, w = y.shape[2:4]
        objectness = y.new_zeros(y.shape[:4])
        if len(targets):
            picture, anchor, row, column, t = assign(targets, wh, h, w, stride)
        if len(targets) and len(t):
            p = y[picture, anchor, row, column]
            s = p[:, :4].sigmoid()
            cell = torch.stack((column, row), 1)
            xy = (s[:, :2] * 2 - 0.5 + cell) * stride
            size = (s[:, 2:4] * 2) ** 2 * wh[anchor]
            overlap = ciou(torch.cat((xy, size), 1), t[:, 2:6])
            aim = overlap.detach().clamp(0)
            order = aim.argsort()
            objectness[picture[order], anchor[order], row[order], column[order]] = aim[order]
            parts[0] = parts[0] + (1 - overlap).mean()
            hot = F.one_hot(t[:, 1].long(), p.shape[1] - 5).float()
            parts[2] = parts[2] + F.binary_cross_entropy_with_logits(p[:, 5:], hot)
        if gains.background:
            parts[2] = parts[2] + gains.background * _classes_of_nothing(y, targets)
        parts[1] = parts[1] + balance * F.binary_cross_entropy_with_logits(y[..., 4], objectness)
    weights = parts.new_tensor((gains.box, gains.objectness, gains.classes))
    return (parts * weights).sum(), parts.detach()
