"""Gradual magnitude pruning in blocks of 1x4 weights along input channels, as the .wisp format stores them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .graph import Yolo
from .walk import conv_of, walk

LANES = 4


def prunable(model: Yolo) -> dict[str, nn.Conv2d]:
    """Convolutions that are pruned here: all but the stem, which reads pixels, and the heads."""
    return {s.name: conv_of(s) for s in walk(model)[0] if s.kind == "conv" and s.inputs != [0]}


def _others(model: Yolo) -> list[nn.Conv2d]:
    steps, _ = walk(model)
    return [conv_of(s) for s in steps if s.kind == "head" or (s.kind == "conv" and s.inputs == [0])]


def _blocks(weight: Tensor) -> Tensor:
    """[o, i, kh, kw] → [o, i/4, 4, kh, kw]."""
    o, i, kh, kw = weight.shape
    if i % LANES:
        raise ValueError(
            f"a convolution reads {i} channels, which blocks of {LANES} don't fill; choose a divisor of 4 or 8"
        )
    return (
        weight.unflatten(1, (i // LANES, LANES))
        if not weight.is_contiguous()
        else weight.view(o, i // LANES, LANES, kh, kw)
    )


def _weight(conv: nn.Conv2d) -> Tensor:
    """The numbers that are trained; a quantised model computes with others."""
    return (
        conv.parametrizations.weight.original if hasattr(conv, "parametrizations") else conv.weight
    )


class Masks:
    """
    Which blocks are present, by the convolution's name: bool [o][i/4][1][kh][kw]. The others are not pruned here, but
    weights that they lack, since a press took them, they go on lacking.
    """

    def __init__(self, model: Yolo):
        self.convs = prunable(model)
        self.others = [(c, _weight(c).detach() != 0) for c in _others(model)]
        self.present = {
            n: _blocks(_weight(c)).detach().abs().amax(2, True) > 0 for n, c in self.convs.items()
        }

    @torch.no_grad()
    def prune(self, target: float) -> bool:
        """
        Zeroes the blocks of least norm of each layer until `target` of them are zero. Absent ones stay absent.
        Whether any became zero.
        """
        before = self.share()
        for name, conv in self.convs.items():
            present = self.present[name]
            zero = round(target * present.numel())
            if zero <= int((~present).sum()):
                continue
            score = _blocks(_weight(conv)).pow(2).sum(2, True).masked_fill(~present, -1.0)
            present.view(-1)[score.flatten().argsort()[:zero]] = False
        self.apply()
        return self.share() > before

    @torch.no_grad()
    def apply(self) -> None:
        for name, conv in self.convs.items():
            _blocks(_weight(conv)).mul_(self.present[name])
        for conv, present in self.others:
            _weight(conv).mul_(present)

    def share(self) -> float:
        """Of the blocks of all these layers that are zero."""
        total = sum(p.numel() for p in self.present.values())
        return 1 - sum(int(p.sum()) for p in self.present.values()) / total


def target_at(progress: float, final: float, start: float = 0.0) -> float:
    """The cubic schedule of Zhu and Gupta (2017): fast while much is superfluous, slow at the end."""
    p = min(max(progress, 0.0), 1.0)
    return final + (start - final) * (1 - p) ** 3
