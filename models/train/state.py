"""What a run has reached: model, moving average, optimiser; saved so that it can go on or be exported."""

from __future__ import annotations

import copy
import math
import os
from pathlib import Path

import torch

from .graph import Shape, Yolo
from .quant import prepare


class Average:
    """A moving average of a model's weights, which is what is judged and kept."""

    def __init__(self, model: Yolo, decay: float):
        self.model = model
        self.decay, self.updates = decay, 0

    def restart(self, model: Yolo) -> None:
        """After a sudden change: the past would spoil the average, most of all that of the norms."""
        self.model.load_state_dict(model.state_dict())
        self.updates = 0

    @torch.no_grad()
    def update(self, model: Yolo) -> None:
        self.updates += 1
        decay = self.decay * (1 - math.exp(-self.updates / 300))
        now = model.state_dict()
        for name, value in self.model.state_dict().items():
            if value.dtype.is_floating_point:
                value.mul_(decay).add_(now[name], alpha=1 - decay)
            else:
                value.copy_(now[name])


def rebuild(shape: dict, quantised: bool, weights: dict) -> Yolo:
    model = Yolo(Shape(**shape))
    if quantised:
        prepare(model)
    elif "stem.conv.bias" in weights:
        model.fold()
    model.load_state_dict(weights)
    return model.to(memory_format=torch.channels_last)


def twin(model: Yolo) -> Yolo:
    """A copy that shares nothing. (deepcopy would leave hooks of a quantised model with the original's ranges.)"""
    quantised = hasattr(model, "ranges")
    other = rebuild(model.shape.as_dict(), quantised, copy.deepcopy(model.state_dict()))
    return other.to(model.anchors.device).eval()


def save(
    path: Path, model: Yolo, average: Average, optimiser: torch.optim.Optimizer | None, **more
) -> None:
    """Written aside and renamed: a run that dies leaves the last whole one."""
    part = path.with_suffix(".part")
    torch.save(
        {
            "shape": model.shape.as_dict(),
            "quantised": hasattr(model, "ranges"),
            "model": model.state_dict(),
            "average": average.model.state_dict(),
            "updates": average.updates,
            "optimiser": optimiser.state_dict() if optimiser else None,
            **more,
        },
        part,
    )
    os.replace(part, path)


def load(path: Path) -> dict:
    if not path.exists():
        raise FileNotFoundError(
            f"{path} does not exist; give a checkpoint that a run left, such as runs/NAME/last.pt."
        )
    return torch.load(path, map_location="cpu", weights_only=True)


def load_float(path: Path) -> Yolo:
    """The same without rounding: where training on other pictures begins."""
    kept = load(path)
    weights = {
        name.replace(".parametrizations.weight.original", ".weight"): value
        for name, value in kept["average"].items()
        if not name.startswith("ranges.")
    }
    return rebuild(kept["shape"], False, weights)


def load_model(path: Path) -> Yolo:
    """The averaged model of a checkpoint."""
    kept = load(path)
    return rebuild(kept["shape"], kept["quantised"], kept["average"]).eval()
