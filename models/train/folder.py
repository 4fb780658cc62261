"""Pictures of a folder: with labels as Ultralytics' YOLOv5 lays them out, or without."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import yaml

from .draw.scene import GREY, letterbox
from .recipe import RecipeError

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
LEAST = 2.0  # pixels: smaller boxes, mostly what an edge left over, are dropped


@dataclass
class Pictures:
    names: list[str]  # of the classes
    train: list[Path]
    held_out: list[Path]


def pictures_in(place: Path) -> list[Path]:
    """All pictures under a folder, or those that a text file lists."""
    if place.is_file():
        lines = [Path(line.strip()) for line in place.read_text().splitlines() if line.strip()]
        return [line if line.is_absolute() else place.parent / line for line in lines]
    return sorted(p for p in place.rglob("*") if p.suffix.lower() in SUFFIXES)


def read_data(path: Path) -> Pictures:
    """A data.yaml with `train`, `val` and `names`; `path` in it is where the others start."""
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise RecipeError(f"{path}: {error}") from error
    if not isinstance(values, dict) or "train" not in values or "names" not in values:
        raise RecipeError(f"{path} is not a data.yaml: it needs train and names.")
    names = values["names"]
    names = (
        [str(names[k]) for k in sorted(names)]
        if isinstance(names, dict)
        else [str(n) for n in names]
    )
    base = path.parent / str(values.get("path", "."))
    sets = []
    for key in ("train", "val"):
        places = values.get(key, values["train"])
        places = places if isinstance(places, list) else [places]
        sets.append([p for place in places for p in pictures_in(base / place)])
        if not sets[-1]:
            raise RecipeError(
                f"{path}: {key} names no picture ({', '.join(str(base / p) for p in places)})."
            )
    return Pictures(names, *sets)


def label_of(picture: Path) -> Path:
    """…/images/a/b.jpg → …/labels/a/b.txt, or beside the picture."""
    parts = list(picture.parts)
    for i in range(len(parts) - 1, -1, -1):
        if parts[i] == "images":
            parts[i] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def read_labels(picture: Path, classes: int) -> np.ndarray:
    """f32 [n][5] = class, x, y, w, h in shares of the picture."""
    path = label_of(picture)
    if not path.exists():
        return np.zeros((0, 5), np.float32)
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = [float(v) for v in line.split()]
        except ValueError:
            row = []
        if (
            len(row) != 5
            or not 0 <= row[0] < classes
            or row[0] % 1
            or not all(0 <= v <= 1 for v in row[1:])
        ):
            raise RecipeError(
                f"{path}:{number}: {line.strip()!r} is not class (below {classes}), x, y, w, h in 0…1."
            )
        rows.append(row)
    return np.array(rows, np.float32).reshape(-1, 5)


def read_picture(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise RecipeError(f"{path} is not a picture that can be read.")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


class Folder:
    """Batches of a folder's pictures, scaled, moved and joined at random. Scaled-down pictures stay in memory."""

    turns = False

    def __init__(
        self, paths: list[Path], classes: int, size: int, scale: float, rng: np.random.Generator
    ):
        self.paths, self.classes, self.size = paths, classes, size
        self.scale, self.rng = scale, rng
        self.kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self.order: list[int] = []

    def _get(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """A picture no larger than the input, and its boxes in its pixels."""
        if index not in self.kept:
            image = read_picture(self.paths[index])
            labels = read_labels(self.paths[index], self.classes)
            fit = min(1.0, self.size / max(image.shape[:2]))
            if fit < 1:
                image = cv2.resize(image, None, fx=fit, fy=fit, interpolation=cv2.INTER_LINEAR)
            labels[:, 1:] *= np.tile(image.shape[1::-1], 2)
            self.kept[index] = image, labels
        return self.kept[index]

    def _next(self) -> int:
        if not self.order:
            self.order = list(self.rng.permutation(len(self.paths)))
        return self.order.pop()

    def _paste(
        self, canvas: np.ndarray, window: tuple[int, int, int, int], index: int
    ) -> np.ndarray:
        """One picture, scaled to the window x0, y0, x1, y1 and a little more or less, somewhere in it."""
        image, labels = self._get(index)
        x0, y0, x1, y1 = window
        h, w = image.shape[:2]
        fit = min((x1 - x0) / w, (y1 - y0) / h) * self.rng.uniform(1 - self.scale, 1 + self.scale)
        room = np.array((x1 - x0 - w * fit, y1 - y0 - h * fit))
        shift = self.rng.uniform(0, 1, 2) * room + (x0, y0)
        matrix = np.array(((fit, 0, shift[0]), (0, fit, shift[1])))
        part = cv2.warpAffine(
            image,
            matrix - ((0, 0, x0), (0, 0, y0)),
            (x1 - x0, y1 - y0),
            flags=cv2.INTER_LINEAR,
            borderValue=(GREY,) * 3,
        )
        canvas[y0:y1, x0:x1] = part
        low = labels[:, 1:3] - labels[:, 3:5] / 2
        high = labels[:, 1:3] + labels[:, 3:5] / 2
        whole = (high - low).prod(1) * fit * fit
        low, high = (np.clip(p * fit + shift, (x0, y0), (x1, y1)) for p in (low, high))
        keep = ((high - low) > LEAST).all(1) & ((high - low).prod(1) > 0.25 * whole)
        return np.hstack((labels[:, :1], (low + high) / 2, high - low))[keep]

    def batch(self, n: int, mosaic: float = 0.0) -> tuple[np.ndarray, list[np.ndarray]]:
        images = np.full((n, self.size, self.size, 3), GREY, np.uint8)
        boxes = []
        for canvas in images:
            if self.rng.random() >= mosaic:
                boxes.append(self._paste(canvas, (0, 0, self.size, self.size), self._next()))
                continue
            cx, cy = (self.rng.uniform(0.35, 0.65, 2) * self.size).astype(int)
            windows = (
                (0, 0, cx, cy),
                (cx, 0, self.size, cy),
                (0, cy, cx, self.size),
                (cx, cy, self.size, self.size),
            )
            boxes.append(np.vstack([self._paste(canvas, w, self._next()) for w in windows]))
        return images, [b.astype(np.float32) for b in boxes]

    def close(self) -> None:
        self.kept.clear()


def letterboxed(paths: list[Path], classes: int, size: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Pictures and boxes as the network sees them when it is judged."""
    images = np.empty((len(paths), size, size, 3), np.uint8)
    boxes = []
    for i, path in enumerate(paths):
        picture = read_picture(path)
        images[i], scale, left, top = letterbox(picture, size)
        b = read_labels(path, classes)
        b[:, 1:] *= np.tile(picture.shape[1::-1], 2) * scale
        b[:, 1:3] += (left, top)
        boxes.append(b)
    return images, boxes
