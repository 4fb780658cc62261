"""Drawn pictures as files: YOLO's labels and COCO's side by side."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import yaml

from .scene import draw
from .symbols import CLASSES


def write_dataset(folder: Path, count: int, size: int, seed: int) -> None:
    """PNG pictures under images/, text files under labels/, data.yaml, instances.json. The same seed draws the same."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "labels").mkdir(exist_ok=True)
    images, annotations = [], []
    for i in range(count):
        picture, boxes = draw(np.random.default_rng((seed, 1_000_000, i)), size)
        name = f"{i:05}"
        cv2.imwrite(
            str(folder / "images" / f"{name}.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        )
        lines = [
            f"{int(k)} {x / size:.6f} {y / size:.6f} {w / size:.6f} {h / size:.6f}"
            for k, x, y, w, h in boxes
        ]
        (folder / "labels" / f"{name}.txt").write_text("\n".join(lines) + "\n" * bool(lines))
        images.append({"id": i, "file_name": f"{name}.png", "width": size, "height": size})
        for k, x, y, w, h in boxes.astype(float):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": i,
                    "category_id": int(k) + 1,
                    "bbox": [x - w / 2, y - h / 2, w, h],
                    "area": w * h,
                    "iscrowd": 0,
                }
            )
    data = {"path": ".", "train": "images", "val": "images", "names": dict(enumerate(CLASSES))}
    (folder / "data.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    categories = [{"id": i + 1, "name": name} for i, name in enumerate(CLASSES)]
    coco = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(coco))
