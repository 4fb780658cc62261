#!/usr/bin/env bash
# onnxruntime 1.30.0, quantize_static with its defaults: a detector's output has boxes in pixels beside scores in 0 ... 1,
# joined by Concat. The tool gives both sides of the joint one scale (640 / 255, about 2.5), so every score becomes
# exactly 0, the model still checks and runs, and nothing warns. A YOLOv5 quantised so finds nothing at all.
# Seen: "scores 0.20 ... 0.92 as floats; quantised: [0.]".
# Needs python3 with venv, and PyPI. Fails if a score survives.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet onnxruntime==1.30.0 onnx==1.22.0 numpy==2.3.5
cd "$folder"
venv/bin/python - <<'PYTHON'
import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnxruntime.quantization import CalibrationDataReader, quantize_static

random = numpy.random.default_rng(1)
weights = random.normal(0, 1, (5, 3, 1, 1)).astype(numpy.float32)
nodes = [
    helper.make_node("Conv", ["x", "weights"], ["logits"], kernel_shape=[1, 1]),
    helper.make_node("Sigmoid", ["logits"], ["shares"]),
    helper.make_node("Split", ["shares", "parts"], ["box", "score"], axis=1),
    helper.make_node("Mul", ["box", "side"], ["pixels"]),
    helper.make_node("Concat", ["pixels", "score"], ["y"], axis=1),
]
constants = [
    helper.make_tensor("weights", TensorProto.FLOAT, weights.shape, weights.ravel()),
    helper.make_tensor("parts", TensorProto.INT64, [2], [4, 1]),
    helper.make_tensor("side", TensorProto.FLOAT, [1], [640.0]),
]
x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5, 8, 8])
graph = helper.make_graph(nodes, "head", [x], [y], constants)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), "float.onnx")
pictures = [random.normal(0, 1, (1, 3, 8, 8)).astype(numpy.float32) for _ in range(8)]


class Reader(CalibrationDataReader):
    def __init__(self):
        self.rest = iter(pictures)

    def get_next(self):
        picture = next(self.rest, None)
        return None if picture is None else {"x": picture}


def scores(name):
    session = onnxruntime.InferenceSession(name, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": pictures[0]})[0][:, 4]


quantize_static("float.onnx", "quantised.onnx", Reader())
real, rounded = scores("float.onnx"), scores("quantised.onnx")
print(f"onnxruntime {onnxruntime.__version__}: scores {real.min():.2f} ... {real.max():.2f} as floats; "
      f"quantised: {numpy.unique(rounded)}")
assert real.min() > 0.1, "the float model has scores"
assert not rounded.any(), "a score survived: this has changed"
PYTHON
