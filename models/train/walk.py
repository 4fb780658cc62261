"""The network as a list of steps, traced by torch.fx: what export, sparsity and quantisation walk over."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import fx, nn

from .graph import Conv, Yolo


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        leaves = Conv | nn.Conv2d | nn.MaxPool2d | nn.Upsample
        return isinstance(module, leaves) or _is_range(name)


def _is_range(name: str) -> bool:
    """A quantised model rounds some tensors on their way; the steps are the same."""
    return name.startswith("model.ranges.")


class _Trunk(nn.Module):
    """Picture → what the heads' convolutions give, before it is split into anchors."""

    def __init__(self, model: Yolo):
        super().__init__()
        self.model = model

    def forward(self, x):
        return [head(f) for head, f in zip(self.model.heads, self.model.features(x))]


@dataclass
class Step:
    """One operation. `inputs` are numbers of earlier steps; the picture is step 0."""

    kind: str  # picture, conv (activated), head, pool, upsample, cat, add
    name: str  # the module's name in the model, without "model."
    module: nn.Module | None
    inputs: list[int]


def walk(model: Yolo) -> tuple[list[Step], list[int]]:
    """All steps in execution order, and the numbers of the heads."""
    trunk = _Trunk(model)
    steps: list[Step] = []
    numbers: dict[fx.Node, int] = {}
    heads: list[int] = []
    for node in _Tracer().trace(trunk).nodes:
        if node.op == "output":
            heads = [numbers[n] for n in node.args[0]]
            continue
        if node.op == "call_module" and _is_range(node.target):
            numbers[node] = numbers[node.args[0]]
            continue
        numbers[node] = len(steps)
        inputs = [numbers[n] for n in node.args if isinstance(n, fx.Node)]
        if node.op == "placeholder":
            steps.append(Step("picture", "", None, []))
        elif node.op == "call_module":
            module = trunk.get_submodule(node.target)
            steps.append(Step(_kind(module), node.target.removeprefix("model."), module, inputs))
        elif node.target is torch.cat:
            inputs = [numbers[n] for n in node.args[0]]
            steps.append(Step("cat", node.name, None, inputs))
        else:
            steps.append(Step("add", node.name, None, inputs))
    return steps, heads


def _kind(module: nn.Module) -> str:
    if isinstance(module, Conv):
        return "conv"
    if isinstance(module, nn.Conv2d):
        return "head"
    return "pool" if isinstance(module, nn.MaxPool2d) else "upsample"


def conv_of(step: Step) -> nn.Conv2d:
    """The bare convolution of a conv or head step."""
    return step.module.conv if isinstance(step.module, Conv) else step.module
