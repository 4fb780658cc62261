"""What people build without wisp: FastAPI around onnxruntime. uvicorn runs it; ONNX, THREADS and SHAPE say how.

SHAPE is `fixed` (the export's own square) or `frame` (the multiple of 32 that holds the picture; dynamic exports).
"""

import os

import cv2
import numpy as np
import onnxruntime
from fastapi import FastAPI, UploadFile

SIZE, STRIDE, GREY = 640, 32, 114
CONFIDENCE, IOU, MOST = 0.25, 0.45, 300
IS_FIXED = os.environ["SHAPE"] == "fixed"

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(os.environ["THREADS"])
session = onnxruntime.InferenceSession(
    os.environ["ONNX"], options, providers=["CPUExecutionProvider"]
)
INPUT = session.get_inputs()[0].name
app = FastAPI()


def letterboxed(picture):
    """YOLOv5's letterbox → picture in its frame, scale, left and upper margin in pixels."""
    height, width = picture.shape[:2]
    scale = min(SIZE / height, SIZE / width)
    inner = round(width * scale), round(height * scale)
    outer = [SIZE if IS_FIXED else -(-side // STRIDE) * STRIDE for side in inner]
    left, top = ((room - side) // 2 for room, side in zip(outer, inner))
    frame = np.full((outer[1], outer[0], 3), GREY, np.uint8)
    frame[top : top + inner[1], left : left + inner[0]] = cv2.resize(picture, inner)
    return frame, scale, left, top


@app.post("/predict")
def predict(request: list[UploadFile]):
    """Boxes, scores and labels of each picture."""
    boxes, scores, labels = [], [], []
    for file in request:
        picture = cv2.imdecode(np.frombuffer(file.file.read(), np.uint8), cv2.IMREAD_COLOR)
        frame, scale, left, top = letterboxed(picture)
        tensor = frame[None, :, :, ::-1].transpose(0, 3, 1, 2).astype(np.float32) / 255
        rows = session.run(None, {INPUT: tensor})[0][0]
        rows = rows[rows[:, 4] > CONFIDENCE]
        every = rows[:, 5:] * rows[:, 4:5]
        kinds, best = every.argmax(1), every.max(1)
        corners = rows[:, :4] - np.concatenate([rows[:, 2:4] / 2, np.zeros_like(rows[:, 2:4])], 1)
        keep = cv2.dnn.NMSBoxesBatched(corners, best, kinds, CONFIDENCE, IOU)
        keep = np.array(keep, int)[:MOST]  # none is an empty tuple
        x, y, width, height = ((corners[keep] - [left, top, 0, 0]) / scale).T
        boxes.append(np.stack([x, y, x + width, y + height], 1).tolist())
        scores.append(best[keep].tolist())
        labels.append(kinds[keep].tolist())
    return {"boxes": boxes, "scores": scores, "labels": labels}
