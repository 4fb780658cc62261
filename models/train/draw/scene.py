"""One drawn picture: symbols on labels on a background, seen by a camera, letterboxed as wisp does."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from . import camera, texture
from .marks import mark, pixels_of
from .photos import Photographs
from .symbols import CLASSES, SHARES, Symbol, style, symbol

Rng = np.random.Generator
GREY = 114  # around a letterboxed picture
VISIBLE = 0.4  # a symbol of which less is in the picture is not drawn


@dataclass(frozen=True)
class Mix:
    """What is drawn how often."""

    empty: float = 0.18  # share of a camera's pictures that show no symbol
    shares: tuple[float, ...] = SHARES  # of the classes, 1 together
    photos: Photographs | None = None
    backgrounds: float = 0.0  # share of a camera's pictures that stand on a photograph
    negatives: float = 0.0  # share of all pictures that are a photograph and nothing else
    marked: float = 0.0  # share of the symbols on a camera's pictures that are marked, not printed
    contrast: float = 0.0  # least standard deviation of a symbol's grey values; fainter is drawn anew


@dataclass
class Label:
    image: np.ndarray  # u8 [h][w][3]
    box: tuple[int, int, int, int]  # x0, y0, x1, y1 of the symbol in it


def letterbox(image: np.ndarray, size: int) -> tuple[np.ndarray, float, float, float]:
    """Scales to fit a square and centres, as Ultralytics' letterbox: picture, scale, left, top."""
    h, w = image.shape[:2]
    scale = min(size / h, size / w)
    nw, nh = min(size, max(1, round(w * scale))), min(size, max(1, round(h * scale)))
    left, top = round((size - nw) / 2 - 0.1), round((size - nh) / 2 - 0.1)
    out = np.full((size, size, 3), GREY, np.uint8)
    out[top : top + nh, left : left + nw] = cv2.resize(
        image, (nw, nh), interpolation=cv2.INTER_LINEAR
    )
    return out, scale, left, top


def quiet_zone(rng: Rng, kind: int, plain: bool) -> int:
    """In modules. Computers' pictures are often cut along the symbol."""
    if rng.random() < (0.4 if plain else 0.15):
        return 0
    return int(rng.integers(1, 5) if CLASSES[kind] != "linear" else rng.integers(1, 12))


def make_label(rng: Rng, code: Symbol, pixels: int, plain: bool) -> Label:
    """A symbol with its quiet zone, perhaps text, frame and colours. `pixels` a module."""
    ink = (
        style(rng, code.bits, pixels, code.kind)
        if not plain
        else cv2.resize(code.bits, None, fx=pixels, fy=pixels, interpolation=cv2.INTER_NEAREST)
    )
    h, w = ink.shape
    unit = pixels if code.modules else max(1, round(w / 33))
    zone = quiet_zone(rng, code.kind, plain) * unit
    pads = [zone] * 4  # top, right, bottom, left
    roomy = rng.random() < (0.15 if plain else 0.4)
    if roomy:
        pads = [p + int(max(h, w) * rng.uniform(0, 0.5)) for p in pads]
    texts: list[tuple[int, int, np.ndarray]] = []
    below = rng.random() < (0.6 if CLASSES[code.kind] == "linear" else 0.15)
    if below:
        size = int(np.clip(rng.uniform(0.06, 0.16) * w, 7, 90))
        line = texture.text_line(rng, code.text[:24] or "0", size)[:, : w + pads[1] + pads[3]]
        gap = int(size * rng.uniform(0.05, 0.4))
        pads[2] = max(pads[2], line.shape[0] + gap + 1)
        texts.append((pads[3] + max(0, (w - line.shape[1]) // 2), pads[0] + h + gap, line))
    if roomy and pads[0] > 10:
        size = int(pads[0] * rng.uniform(0.3, 0.8))
        if size >= 7:
            texts.append(
                (
                    int(rng.integers(1, w)),
                    max(0, pads[0] - zone - size),
                    texture.text_line(rng, texture.words(rng, int(rng.integers(3, 22))), size),
                )
            )
    top, right, bottom, left = pads
    gray = np.full((h + top + bottom, w + left + right), 255, np.uint8)
    gray[top : top + h, left : left + w] = ink
    image = _colours(rng, gray, plain)
    dark = tuple(int(v) for v in image[top : top + h, left : left + w].reshape(-1, 3)[ink.argmin()])
    for x, y, line in texts:
        texture.put(image, line, x, y, dark)
    if roomy and rng.random() < 0.3:
        cv2.rectangle(
            image, (0, 0), (image.shape[1] - 1, image.shape[0] - 1), dark, max(1, unit // 2)
        )
    return Label(image, (left, top, left + w, top + h))


def _colours(rng: Rng, gray: np.ndarray, plain: bool) -> np.ndarray:
    a, b = np.zeros(3), np.full(3, 255)
    draw = rng.random()
    if draw < (0.08 if plain else 0.35):
        a, b = texture.colour(rng, 0, 90), texture.colour(rng, 150, 256)
    if rng.random() < 0.1:
        a, b = b, a
    table = (a + (b - a) * np.linspace(0, 1, 256)[:, None]).astype(np.uint8)
    return table[gray]


def frame_size(rng: Rng) -> tuple[int, int]:
    draw = rng.random()
    side = (
        rng.uniform(240, 480)
        if draw < 0.65
        else rng.uniform(480, 800)
        if draw < 0.85
        else rng.uniform(60, 240)
    )
    draw = rng.random()
    ratio = (
        0.75
        if draw < 0.4
        else 1.0
        if draw < 0.6
        else rng.uniform(0.4, 1)
        if draw < 0.88
        else rng.uniform(0.12, 0.4)
    )
    short = max(12, int(side * ratio))
    return (short, int(side)) if rng.random() < 0.72 else (int(side), short)


def _placement(rng: Rng, single: bool, h: int, w: int, label: Label) -> np.ndarray:
    """The label's four corners in the picture, f32 [4][2]."""
    x0, y0, x1, y1 = label.box
    lh, lw = label.image.shape[:2]
    draw = rng.random()
    share = (
        rng.uniform(0.6, 1.08)
        if draw < 0.45
        else rng.uniform(0.25, 0.7)
        if draw < 0.85
        else rng.uniform(0.08, 0.25)
    )
    if not single:
        share = rng.uniform(0.1, 0.5)
    draw = rng.random()
    angle = (
        rng.normal(0, 0.08)
        if draw < 0.65
        else rng.uniform(0, 6.28)
        if draw < 0.85
        else rng.integers(4) * 1.5708 + rng.normal(0, 0.05)
    )
    c, s = np.cos(angle), np.sin(angle)
    bw, bh = x1 - x0, y1 - y0
    wide, high = abs(bw * c) + abs(bh * s), abs(bw * s) + abs(bh * c)
    scale = (
        share * min(w / wide, h / high)
        if rng.random() < 0.8
        else share * max(h, w) / max(wide, high)
    )
    corners = np.array(((0, 0), (lw, 0), (lw, lh), (0, lh)), np.float32)
    corners = (corners - ((x0 + x1) / 2, (y0 + y1) / 2)) * scale
    corners = corners @ np.array(((c, s), (-s, c)), np.float32)
    if rng.random() < 0.5:  # tilted away: corners nearer and farther
        depth = 1 + (corners / max(1, np.abs(corners).max())) @ rng.normal(0, 0.18, 2).astype(
            np.float32
        )
        corners = corners / np.clip(depth, 0.5, 1.6)[:, None]
    margin = np.maximum((w - wide * scale, h - high * scale), 0) / 2
    loose = 0.12 if single else 0.08
    shift = rng.uniform(-1, 1, 2) * (
        margin + loose * np.array((wide, high)) * scale * (rng.random() < 0.35)
    )
    return (corners + np.array((w, h)) / 2 + shift).astype(np.float32)


def _outline(label: Label, matrix: np.ndarray) -> np.ndarray:
    """Points along the symbol's border, in the picture: f32 [n][2]."""
    x0, y0, x1, y1 = label.box
    t = np.linspace(0, 1, 9)
    x, y = x0 + (x1 - x0) * t, y0 + (y1 - y0) * t
    points = np.concatenate(
        (
            np.stack((x, np.full(9, y0)), 1),
            np.stack((x, np.full(9, y1)), 1),
            np.stack((np.full(9, x0), y), 1),
            np.stack((np.full(9, x1), y), 1),
        )
    )
    return cv2.perspectiveTransform(points[None].astype(np.float32), matrix)[0]


def _overlaps(a: tuple, boxes: list[tuple]) -> bool:
    return any(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for b in boxes)


def _extent(points: np.ndarray) -> tuple[float, float, float, float]:
    return (*points.min(0), *points.max(0))


def _place(
    rng: Rng, image: np.ndarray, mix: Mix, single: bool, covered: list[tuple]
) -> tuple[int, np.ndarray, float] | None:
    """Draws one label; its class, outline and pixels a module, or None where it found no place."""
    h, w = image.shape[:2]
    code = symbol(rng, mix.shares)
    pixels = 3 if max(code.bits.shape) < 90 else 2 if max(code.bits.shape) < 200 else 1
    if mix.marked and code.modules and rng.random() < mix.marked:
        pixels = pixels_of(code.bits)
        label = Label(*mark(rng, code.bits))
    else:
        label = make_label(rng, code, pixels, False)
    for _ in range(6):
        to = _placement(rng, single, h, w, label)
        lh, lw = label.image.shape[:2]
        matrix = cv2.getPerspectiveTransform(
            np.array(((0, 0), (lw, 0), (lw, lh), (0, lh)), np.float32), to
        )
        outline = _outline(label, matrix)
        x0, y0, x1, y1 = _extent(outline)
        inside = max(0, min(w, x1) - max(0, x0)) * max(0, min(h, y1) - max(0, y0))
        module = np.sqrt((x1 - x0) * (y1 - y0) / code.bits.size) * (1 if code.modules else 9)
        fit = min(320 / h, 320 / w)
        if (
            inside < VISIBLE * (x1 - x0) * (y1 - y0)
            or module * fit < 0.75
            or max(x1 - x0, y1 - y0) * fit < 12
        ):
            continue
        if _overlaps(_extent(to), covered):
            continue
        shrink = module / pixels if code.modules else module / 9
        source = label.image
        if shrink < 0.6:  # many source pixels a target pixel: average them first
            source = cv2.resize(
                source,
                (max(1, round(lw * shrink)), max(1, round(lh * shrink))),
                interpolation=cv2.INTER_AREA,
            )
            sx, sy = source.shape[1] / lw, source.shape[0] / lh
            matrix = matrix @ np.diag((1 / sx, 1 / sy, 1.0))
        cv2.warpPerspective(
            source,
            matrix,
            (w, h),
            dst=image,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        covered.append(_extent(to))
        return code.kind, outline, module
    return None


def photo(rng: Rng, mix: Mix) -> tuple[np.ndarray, list[tuple[int, np.ndarray]]]:
    """A camera's picture and what is on it: class and outline."""
    h, w = frame_size(rng)
    draw = rng.random()
    several = 1 - 0.23 / 0.82 * (1 - mix.empty)
    n = 0 if draw < mix.empty else 1 if draw < several else int(rng.integers(2, 7))
    if mix.photos and rng.random() < mix.backgrounds:
        image = mix.photos.background(rng, h, w)
    else:
        image = texture.surface(rng, h, w, hard=n == 0 or rng.random() < 0.1)
    covered: list[tuple] = []
    seen = [s for s in (_place(rng, image, mix, n == 1, covered) for _ in range(n)) if s]
    items = [(kind, outline) for kind, outline, _ in seen]
    if rng.random() < 0.25:
        by = camera.bend(rng, h, w)
        image = camera.bend_picture(image, by)
        items = [(kind, camera.bend_points(outline, by)) for kind, outline in items]
    limit = min([0.75 * module for *_, module in seen] + [3.0 * max(h, w) / 320])
    if rng.random() < 0.85:
        image = camera.light(rng, image)
    if rng.random() < 0.6:
        image = camera.blur(rng, image, max(0.5, limit))
    return camera.sensor(rng, image), items


def screen(rng: Rng, mix: Mix) -> tuple[np.ndarray, list[tuple[int, np.ndarray]]]:
    """A computer's picture: the symbol as rendered, nothing round it but paper."""
    code = symbol(rng, mix.shares)
    if code.modules:
        pixels = max(1, min(int(rng.integers(1, 9)), 900 // max(code.bits.shape)))
    else:
        pixels = 1
    label = make_label(rng, code, pixels, True)
    image, (x0, y0, x1, y1) = label.image, label.box
    if rng.random() < 0.3:
        turns = int(rng.integers(1, 4))
        points = np.array(((x0, y0), (x1, y1)), np.float32)
        h, w = image.shape[:2]
        for _ in range(turns):
            points = np.stack((points[:, 1], w - points[:, 0]), 1)
            h, w = w, h
        image = np.ascontiguousarray(np.rot90(image, turns))
        return image, [(code.kind, points)]
    return image, [(code.kind, np.array(((x0, y0), (x1, y1)), np.float32))]


def _is_faint(image: np.ndarray, items: list[tuple[int, np.ndarray]], least: float) -> bool:
    """Whether a symbol is hardly there: its grey values, noise smoothed away, spread less than `least`."""
    gray = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    for _, outline in items:
        x0, y0, x1, y1 = (max(0, int(v)) for v in _extent(outline))
        spot = gray[y0 : y1 + 1, x0 : x1 + 1]
        if spot.size and spot.std() < least:
            return True
    return False


def draw(rng: Rng, size: int, mix: Mix = Mix()) -> tuple[np.ndarray, np.ndarray]:
    """A training picture u8 [size][size][3] and its boxes f32 [n][5] = class, x, y, w, h in pixels."""
    image, items = screen(rng, mix) if rng.random() < 0.18 else photo(rng, mix)
    while mix.contrast and _is_faint(image, items, mix.contrast):
        image, items = photo(rng, mix)
    h, w = image.shape[:2]
    out, scale, left, top = letterbox(image, size)
    boxes = []
    for kind, outline in items:
        x0, y0, x1, y1 = _extent(outline)
        x0, y0, x1, y1 = max(0, x0), max(0, y0), min(w, x1), min(h, y1)
        if x1 - x0 < 2 or y1 - y0 < 2:
            continue
        boxes.append(
            (
                kind,
                (x0 + x1) / 2 * scale + left,
                (y0 + y1) / 2 * scale + top,
                (x1 - x0) * scale,
                (y1 - y0) * scale,
            )
        )
    return out, np.array(boxes, np.float32).reshape(-1, 5)
