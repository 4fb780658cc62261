"""A trained model → ONNX as YOLOv5's export.py lays it out: one output [1, boxes, 5 + classes]."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from .graph import STRIDES, Conv, Yolo
from .quant import Range
from .walk import Step, conv_of, walk

OPSET = 13


class _Graph:
    """Nodes and constants as they come."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, values: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, op: str, inputs: list[str], name: str, **attributes) -> str:
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name


def _convolution(graph: _Graph, step: Step, x: str) -> str:
    conv = conv_of(step)
    weight = graph.constant(f"{step.name}.weight", conv.weight.detach().numpy())
    bias = graph.constant(f"{step.name}.bias", conv.bias.detach().numpy())
    (ph, pw), name = conv.padding, step.name
    y = graph.node(
        "Conv",
        [x, weight, bias],
        f"{name}.conv",
        kernel_shape=list(conv.kernel_size),
        strides=list(conv.stride),
        pads=[ph, pw, ph, pw],
        group=1,
        dilations=[1, 1],
    )
    if not isinstance(step.module, Conv):
        return y
    return graph.node("Mul", [y, graph.node("Sigmoid", [y], f"{name}.sigmoid")], f"{name}.act")


def _rounded(graph: _Graph, x: str, r: Range) -> str:
    """The tensor's trained range, as a pair of nodes that every runtime knows."""
    scale = graph.constant(f"{x}.scale", r.scale.numpy().astype(np.float32))
    zero = graph.constant(f"{x}.zero", r.zero.numpy().astype(np.uint8))
    q = graph.node("QuantizeLinear", [x, scale, zero], f"{x}.quantised")
    return graph.node("DequantizeLinear", [q, scale, zero], f"{x}.rounded")


def _step(graph: _Graph, step: Step, inputs: list[str]) -> str:
    if step.kind in ("conv", "head"):
        return _convolution(graph, step, inputs[0])
    if step.kind == "cat":
        return graph.node("Concat", inputs, step.name, axis=1)
    if step.kind == "add":
        return graph.node("Add", inputs, step.name)
    if step.kind == "pool":
        k, p = step.module.kernel_size, step.module.padding
        return graph.node(
            "MaxPool",
            inputs,
            f"{step.name}.{len(graph.nodes)}",
            kernel_shape=[k, k],
            strides=[1, 1],
            pads=[p, p, p, p],
        )
    scales = graph.constant(
        f"{step.name}.{len(graph.nodes)}.scales", np.array([1, 1, 2, 2], np.float32)
    )
    return graph.node(
        "Resize",
        [inputs[0], "", scales],
        f"{step.name}.{len(graph.nodes)}",
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _decoded(graph: _Graph, x: str, index: int, model: Yolo) -> str:
    """One head's boxes, as YOLOv5 v6 writes them."""
    size, stride = model.shape.size, STRIDES[index]
    cells, columns = size // stride, 5 + len(model.shape.classes)
    anchors = model.anchors[index].numpy()

    def ints(name: str, *values: int) -> str:
        return graph.constant(f"decode.{index}.{name}", np.array(values, np.int64))

    def reals(name: str, values: np.ndarray | float) -> str:
        return graph.constant(f"decode.{index}.{name}", np.asarray(values, np.float32))

    at = f"decode.{index}"
    y = graph.node(
        "Reshape", [x, ints("shape", 1, len(anchors), columns, cells, cells)], f"{at}.split"
    )
    y = graph.node(
        "Sigmoid",
        [graph.node("Transpose", [y], f"{at}.turned", perm=[0, 1, 3, 4, 2])],
        f"{at}.probabilities",
    )
    parts = [f"{at}.xy", f"{at}.wh", f"{at}.scores"]
    graph.nodes.append(
        helper.make_node(
            "Split", [y, ints("parts", 2, 2, columns - 4)], parts, name=f"{at}.parted", axis=4
        )
    )
    rows, cols = np.meshgrid(np.arange(cells), np.arange(cells), indexing="ij")
    grid = np.stack((cols, rows), -1)[None, None] - 0.5
    xy = graph.node("Mul", [parts[0], reals("two", 2.0)], f"{at}.xy2")
    xy = graph.node("Add", [xy, reals("grid", grid)], f"{at}.xy3")
    xy = graph.node("Mul", [xy, reals("stride", float(stride))], f"{at}.xy4")
    wh = graph.node("Mul", [parts[1], reals("double", 2.0)], f"{at}.wh2")
    wh = graph.node("Pow", [wh, reals("square", 2.0)], f"{at}.wh3")
    wh = graph.node("Mul", [wh, reals("anchors", anchors[None, :, None, None])], f"{at}.wh4")
    y = graph.node("Concat", [xy, wh, parts[2]], f"{at}.boxes", axis=4)
    return graph.node("Reshape", [y, ints("row", 1, -1, columns)], f"{at}.flat")


def to_onnx(model: Yolo, note: dict[str, str]) -> onnx.ModelProto:
    """A folded model, rounded or not. `note` becomes metadata."""
    model.eval()
    steps, heads = walk(model)
    ranges: nn.ModuleDict = getattr(model, "ranges", nn.ModuleDict())
    graph, values = _Graph(), {}
    added = {s.inputs[1]: i for i, s in enumerate(steps) if s.kind == "add"}
    for number, step in enumerate(steps):
        if step.kind == "picture":
            values[number] = "images"
            continue
        value = _step(graph, step, [values[i] for i in step.inputs])
        name = steps[step.inputs[1]].name.rpartition(".")[0] if step.kind == "add" else step.name
        key = name.replace(".", "-")
        if step.kind in ("conv", "add") and number not in added and key in ranges:
            value = _rounded(graph, value, ranges[key])
        values[number] = value
    boxes = [_decoded(graph, values[h], i, model) for i, h in enumerate(heads)]
    graph.node("Concat", boxes, "output", axis=1)
    size, columns = model.shape.size, 5 + len(model.shape.classes)
    count = sum(len(a) * (size // s) ** 2 for a, s in zip(model.anchors, STRIDES))
    picture = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, size, size])
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, count, columns])
    proto = helper.make_model(
        helper.make_graph(graph.nodes, "wisp", [picture], [output], graph.constants),
        producer_name="wisp train",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
    )
    names = dict(enumerate(model.shape.classes))
    helper.set_model_props(proto, {"names": repr(names), "stride": str(max(STRIDES)), **note})
    onnx.checker.check_model(proto)
    return proto


@torch.no_grad()
def save_onnx(model: Yolo, path: Path, note: dict | None = None) -> None:
    model.fold()
    onnx.save(to_onnx(model, {"wisp": json.dumps(note or {})}), str(path))


@torch.no_grad()
def shift_logits(model: Yolo, objectness: float, classes: dict[str, float]) -> None:
    """Another share of boxes above a confidence, of all or of a class; their order hardly changes, within a class."""
    columns = {5 + model.shape.classes.index(name): by for name, by in classes.items()}
    for head in model.heads:
        bias = head.bias.view(-1, 5 + len(model.shape.classes))
        bias[:, 4] += objectness
        for column, by in columns.items():
            bias[:, column] += by
