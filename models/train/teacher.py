"""A YOLOv5 that exists as ONNX → the graph of this package, matched by its convolutions' shapes and flow of data."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from .graph import STRIDES, Shape, Yolo
from .recipe import RecipeError
from .walk import conv_of, walk

DEPTHS = (0.33, 0.67, 1.0, 1.33)  # of n and s, m, l, x
STEM = 64  # channels of the first convolution at width 1


def _constants(graph: onnx.GraphProto) -> dict[str, np.ndarray]:
    out = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            out[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    return out


def _by_flow(outputs: list, inputs_of: Callable[[Any], list]) -> list:
    """Nodes in the order in which walking back from the outputs finishes them: the same whatever order a file has."""
    done: dict = {}
    pending = [(node, False) for node in reversed(outputs)]
    while pending:
        node, left = pending.pop()
        if left:
            done[node] = None
        elif node not in done:
            pending.append((node, True))
            pending += [(i, False) for i in reversed(inputs_of(node)) if i not in done]
    return list(done)


def _convolutions(
    graph: onnx.GraphProto, constants: dict[str, np.ndarray]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weight and bias of each, by the flow of data."""
    writer = {name: i for i, node in enumerate(graph.node) for name in node.output}

    def inputs_of(index: int) -> list[int]:
        return [
            writer[name]
            for name in graph.node[index].input
            if name in writer and name not in constants
        ]

    out = []
    for index in _by_flow([writer[graph.output[0].name]], inputs_of):
        node = graph.node[index]
        if node.op_type != "Conv":
            continue
        if len(node.input) < 3 or any(name not in constants for name in node.input[1:]):
            raise RecipeError(
                f"Convolution {node.name!r} has no constant weight and bias; "
                "export with the norms folded, as export.py does."
            )
        out.append(tuple(constants[name].astype(np.float32) for name in node.input[1:3]))
    return out


def _own(model: Yolo) -> list[nn.Conv2d]:
    """The graph's convolutions in the same order."""
    steps, heads = walk(model)
    order = _by_flow(heads, lambda i: steps[i].inputs)
    return [conv_of(steps[i]) for i in order if steps[i].kind in ("conv", "head")]


def _anchors(constants: dict[str, np.ndarray], size: int) -> list[list[list[float]]]:
    """Anchors are what the decoding multiplies sizes with: [1, anchors, 1 or h, 1 or w, 2], alike in every cell."""
    found = {}
    for value in constants.values():
        if value.ndim != 5 or value.shape[0] != 1 or value.shape[4] != 2:
            continue
        first = value[0, :, 0, 0, :].astype(float)
        if (value[0] == value[0, :, :1, :1]).all() and (first > 1).all():
            found[tuple(first.ravel())] = first.tolist()
    ordered = sorted(found.values(), key=lambda a: np.prod(a, axis=1).sum())
    if len(ordered) != len(STRIDES):
        raise RecipeError(
            f"The ONNX file has {len(ordered)} sets of anchors where YOLOv5 has {len(STRIDES)}."
        )
    return ordered


def _names(model: onnx.ModelProto, count: int) -> list[str]:
    for entry in model.metadata_props:
        if entry.key == "names":
            names = ast.literal_eval(entry.value)
            names = [names[k] for k in sorted(names)] if isinstance(names, dict) else list(names)
            if len(names) == count:
                return [str(n) for n in names]
    return [str(i) for i in range(count)]


def _fitting(shape: Shape, shapes: list[tuple]) -> Yolo:
    """The graph whose convolutions have these shapes."""
    for depth in DEPTHS:
        shape.depth = depth
        model = Yolo(shape)
        if [tuple(c.weight.shape) for c in _own(model)] == shapes:
            return model
    raise RecipeError(
        f"{len(shapes)} convolutions from {shapes[0]} to {shapes[-1]}: this is no YOLOv5 v6 "
        "of any size; v5.0 and v7 can't be distilled yet."
    )


@torch.no_grad()
def load_teacher(path: Path) -> Yolo:
    """The network of an ONNX file, folded and at rest."""
    try:
        proto = onnx.load(str(path))
    except Exception as error:  # protobuf raises its own kinds
        raise RecipeError(f"{path} is not an ONNX file: {error}") from error
    constants = _constants(proto.graph)
    convolutions = _convolutions(proto.graph, constants)
    if not convolutions:
        raise RecipeError(f"{path} has no convolution, so it is not a YOLOv5.")
    side = proto.graph.input[0].type.tensor_type.shape.dim[2].dim_value or 640
    anchors = _anchors(constants, side)
    classes = convolutions[-1][0].shape[0] // len(anchors[0]) - 5
    width = convolutions[0][0].shape[0] / STEM
    shape = Shape(_names(proto, classes), width, DEPTHS[0], side, 8, anchors)
    model = _fitting(shape, [w.shape for w, _ in convolutions])
    model.fold()
    for conv, (weight, bias) in zip(_own(model), convolutions):
        conv.weight.copy_(torch.from_numpy(weight))
        conv.bias.copy_(torch.from_numpy(bias))
    return model.eval().to(memory_format=torch.channels_last)
