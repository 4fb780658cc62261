"""
wisp's number system in training: 7-bit weights, 8-bit activations (models/FORMAT.md).

Activations are u8 with a scale and zero point a tensor. Weights are rounded after each is multiplied with the scale
of the tensor it reads, to −64…63 with one scale an output channel, whose lowest 16 bits are 0. Gradients pass
through rounding as if it were not there.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from .graph import Conv, Yolo
from .walk import Step, conv_of, walk

WEIGHT_MOST = 63
BYTE_MOST = 255
LEAST_STEP = 1 / 3072  # of an activated tensor: models/press/calibrate/range.c


class Range(nn.Module):
    """A tensor's scale and zero point. Observes until it is frozen, then rounds."""

    scale: Tensor
    zero: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.tensor(1.0))
        self.register_buffer("zero", torch.tensor(0.0))
        self.observed: list[Tensor] = []
        self.observing = False

    def set_range(self, low: float, high: float) -> None:
        low, high = min(low, 0.0), max(high, 0.0)
        scale = max((high - low) / BYTE_MOST, LEAST_STEP)
        self.scale.fill_(scale)
        self.zero.fill_(min(max(round(-low / scale), 0), BYTE_MOST))

    def rounded(self, x: Tensor) -> Tensor:
        return ((x / self.scale).round() + self.zero).clamp(0, BYTE_MOST).sub(
            self.zero
        ) * self.scale

    def forward(self, x: Tensor) -> Tensor:
        if self.observing:
            flat = x.detach().flatten()
            self.observed.append(flat[torch.randint(flat.numel(), (20000,))])
            return x
        low, high = -self.zero * self.scale, (BYTE_MOST - self.zero) * self.scale
        held = torch.minimum(torch.maximum(x, low), high)  # no gradient beyond the range
        return held + (self.rounded(x) - held).detach()

    def freeze(self) -> None:
        """The range of least squared error among those that cut the rare large values."""
        values = torch.cat(self.observed)
        self.observed, self.observing = [], False
        low, top = float(values.min()), float(values.max())
        best = (float("inf"), top)
        for i in range(100, 24, -3):
            high = top * i / 100
            self.set_range(low, high)
            best = min(best, (float((self.rounded(values) - values).pow(2).mean()), high))
        self.set_range(low, best[1])


def coarse_scale(scale: Tensor) -> Tensor:
    """The next f32 above whose lowest 16 bits are 0."""
    bits = scale.detach().view(torch.int32)
    return ((bits + 0xFFFF) & -0x10000).view(torch.float32)


def integers(weight: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
    """Weights [o, i, kh, kw] that read channels of these steps [i] → integers and scales [o]."""
    real = weight * step[None, :, None, None]
    scale = coarse_scale((real.abs().amax((1, 2, 3)) / WEIGHT_MOST).clamp_min(1e-30))
    return (real / scale[:, None, None, None]).round().clamp(-WEIGHT_MOST - 1, WEIGHT_MOST), scale


class RoundedWeight(nn.Module):
    """A parametrisation that lets a convolution compute with rounded weights."""

    def __init__(self, sources: list[tuple[Range | None, int]]):
        super().__init__()
        self.sources = (
            sources  # the tensors it reads side by side, and their channels; None is the picture
        )
        self.enabled = True

    def step(self, like: Tensor) -> Tensor:
        return torch.cat(
            [
                like.new_full((n,), 1 / BYTE_MOST) if r is None else r.scale.expand(n)
                for r, n in self.sources
            ]
        )

    def forward(self, weight: Tensor) -> Tensor:
        if not self.enabled:
            return weight
        with torch.no_grad():
            step = self.step(weight)
            q, scale = integers(weight, step)
            rounded = q * scale[:, None, None, None] / step[None, :, None, None]
        return weight + (rounded - weight).detach()


def _channels(steps: list[Step], number: int) -> int:
    step = steps[number]
    if step.kind == "picture":
        return 3
    if step.kind in ("conv", "head"):
        return conv_of(step).out_channels
    if step.kind == "cat":
        return sum(_channels(steps, i) for i in step.inputs)
    return _channels(steps, step.inputs[0])


class Quantiser:
    """Makes a folded model compute with wisp's numbers. The model's modules stay where they are."""

    def __init__(self, model: Yolo):
        self.model = model
        self.steps, _ = walk(model)
        self.ranges: dict[int, Range] = {}  # by the step that writes the tensor
        self.sources: dict[int, list[tuple[Range | None, int]]] = {}
        self.rounders: list[RoundedWeight] = []
        added = {
            s.inputs[1] for s in self.steps if s.kind == "add"
        }  # rounded once, after the addition
        model.ranges = nn.ModuleDict()
        for number, step in enumerate(self.steps):
            self.sources[number] = self._sources(number, step)
            if step.kind in ("conv", "head"):
                rounder = RoundedWeight(self.sources[step.inputs[0]])
                parametrize.register_parametrization(conv_of(step), "weight", rounder, unsafe=True)
                self.rounders.append(rounder)
            if (step.kind == "conv" and number not in added) or step.kind == "add":
                self._attach(number, step)
        model.ranges.to(model.anchors.device)

    def _sources(self, number: int, step: Step) -> list[tuple[Range | None, int]]:
        if step.kind == "picture":
            return [(None, 3)]
        if step.kind == "cat":
            return [source for i in step.inputs for source in self.sources[i]]
        if step.kind in ("pool", "upsample"):
            return self.sources[step.inputs[0]]
        self.ranges[number] = Range()
        return [(self.ranges[number], _channels(self.steps, number))]

    def _attach(self, number: int, step: Step) -> None:
        name = step.name
        owner: nn.Module | None = step.module
        if step.kind == "add":  # the bottleneck that adds
            name = self.steps[step.inputs[1]].name.rpartition(".")[0]
            owner = self.model.get_submodule(name)
        self.model.ranges[name.replace(".", "-")] = self.ranges[number]
        owner.register_forward_hook(partial(_round_output, self.ranges[number]))

    @torch.no_grad()
    def calibrate(self, batches: list[Tensor]) -> None:
        """Chooses the ranges from pictures in 0…1, computed in float."""
        self._observe(True)
        training = self.model.training
        self.model.eval()
        for x in batches:
            self.model(x)
        self.model.train(training)
        self._observe(False)

    def _observe(self, on: bool) -> None:
        for rounder in self.rounders:
            rounder.enabled = not on
        for r in self.model.ranges.values():
            if on:
                r.observing = True
            else:
                r.freeze()


def _round_output(r: Range, module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
    return r(output)


def prepare(model: Yolo) -> Quantiser:
    """Folds the norms of a trained model and lets it compute with wisp's numbers."""
    model.fold()
    for module in model.modules():
        if isinstance(module, Conv):
            module.act = nn.SiLU()  # not in place: the hooks' outputs are read again
    return Quantiser(model)
