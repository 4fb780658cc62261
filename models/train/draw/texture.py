"""Backgrounds and hard negatives: surfaces, clutter, text, and patterns that resemble codes."""

from __future__ import annotations

import string
from functools import lru_cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

Rng = np.random.Generator
Image8 = np.ndarray  # u8 [h][w][3]

FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSansMono",
    "DejaVuSerif",
    "DejaVuSansMono-Bold",
    "STIXGeneral",
    "cmr10",
)


@lru_cache(maxsize=64)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """The fonts that come with matplotlib (free licences, installed with it)."""
    return ImageFont.truetype(
        str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"), size
    )


def words(rng: Rng, length: int) -> str:
    out = ""
    while len(out) < length:
        alphabet = string.digits if rng.random() < 0.25 else string.ascii_lowercase
        word = "".join(alphabet[i] for i in rng.integers(0, len(alphabet), rng.integers(1, 11)))
        draw = rng.random()
        out += (word.upper() if draw < 0.2 else word.capitalize() if draw < 0.4 else word) + " "
    return out[:length]


def text_line(rng: Rng, text: str, height: int) -> np.ndarray:
    """A line of dark text on white, u8 [h][w]."""
    font = _font(FONTS[rng.integers(len(FONTS))], max(6, min(72, int(height * 0.8))))
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("L", (max(1, int(right - left) + 2), max(1, int(bottom - top) + 2)), 255)
    ImageDraw.Draw(image).text((1 - left, 1 - top), text, fill=0, font=font)
    return np.asarray(image)


def colour(rng: Rng, low: int = 0, high: int = 256) -> np.ndarray:
    c = rng.integers(low, high, 3)
    return np.full(3, c[0]) if rng.random() < 0.5 else c


def _paint(rng: Rng, gray: np.ndarray) -> Image8:
    """Grey 0…255 between two colours."""
    a, b = colour(rng).astype(np.float32), colour(rng).astype(np.float32)
    if abs(a.mean() - b.mean()) < 40:
        a, b = np.zeros(3, np.float32), np.full(3, 255, np.float32)
    table = (a + (b - a) * np.linspace(0, 1, 256, dtype=np.float32)[:, None]).astype(np.uint8)
    return table[gray]


def noise(rng: Rng, h: int, w: int) -> np.ndarray:
    """Smooth noise of several octaves, u8 [h][w]."""
    out = np.zeros((h, w), np.float32)
    for octave in range(rng.integers(1, 5)):
        n = 2 ** (octave + 1 + int(rng.integers(0, 3)))
        cells = rng.random((min(n, h), min(n, w)), dtype=np.float32)
        out += cv2.resize(cells, (w, h), interpolation=cv2.INTER_CUBIC) / (octave + 1)
    return cv2.normalize(out, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def grain(rng: Rng, h: int, w: int) -> np.ndarray:
    """Fine noise stretched along one direction: carpet, brushed metal, wood, concrete."""
    fx, fy = np.exp(rng.uniform(0, 2.5, 2))
    cells = rng.integers(0, 256, (max(2, int(h / fy)), max(2, int(w / fx))), dtype=np.uint8)
    out = cv2.resize(cells, (w, h), interpolation=cv2.INTER_LINEAR)
    return np.where(out > 128, np.uint8(255), np.uint8(0)) if rng.random() < 0.15 else out


def pattern(rng: Rng, h: int, w: int) -> np.ndarray:
    """What a careless detector takes for a code: u8 [h][w]."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    angle = rng.uniform(0, np.pi) if rng.random() < 0.5 else 0
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    p = np.exp(rng.uniform(np.log(4), np.log(60)))
    q = p * np.exp(rng.uniform(-0.7, 0.7))
    a, b = u % p / p, v % q / q
    duty = rng.uniform(0.15, 0.6)
    kind = rng.integers(9)
    if kind == 0:  # regular stripes, fence, blinds, comb
        on = a < duty
    elif kind == 1:  # chequerboard, or crossword with cells at random
        on = ((u // p + v // q) % 2) < 1
        if rng.random() < 0.6:
            cells = rng.random((64, 64)) < rng.uniform(0.1, 0.35)
            on = (
                cells[(u // p).astype(int) % 64, (v // p).astype(int) % 64]
                | (u % p < 1)
                | (v % p < 1)
            )
    elif kind == 2:  # grid, wire, tiles, windows with bars
        on = (a < duty * 0.5) | (b < duty * 0.5)
    elif kind == 3:  # dots, holes
        on = (a - 0.5) ** 2 + (b - 0.5) ** 2 < (duty * 0.7) ** 2
    elif kind == 4:  # weave
        on = np.where((u // p + v // q) % 2 < 1, u % (p / 3) < p / 6, v % (q / 3) < q / 6)
    elif kind == 5:  # keyboard
        shift = (v // q) * p * 0.37
        on = ((u + shift) % p / p < 0.85) & (b < 0.85)
    elif kind == 6:  # radiator, book spines: stripes of slowly changing width
        on = np.sin(u / p * 6.28 + 2 * np.sin(u / (p * rng.uniform(3, 9)))) > 0
        on &= (v % (q * 8)) < q * rng.uniform(5, 8)
    elif kind == 7:  # waves, zebra
        on = np.sin(u / p * 6.28 + 3 * np.sin(v / (q * 2))) > rng.uniform(-0.5, 0.5)
    else:  # rings
        on = np.hypot(x - w * rng.random(), y - h * rng.random()) % p < p * duty
    out = np.where(on, np.uint8(255), np.uint8(0))
    if rng.random() < 0.5:
        out = cv2.addWeighted(out, rng.uniform(0.3, 1), noise(rng, h, w), 0.4, 0)
    return out


def page(rng: Rng, h: int, w: int) -> np.ndarray:
    """Lines of text, u8 [h][w]."""
    out = np.full((h, w), 255, np.uint8)
    size = int(np.exp(rng.uniform(np.log(8), np.log(48))))
    y, margin = int(rng.integers(0, size)), int(rng.integers(0, max(1, w // 6)))
    while y < h:
        line = text_line(
            rng, words(rng, int(min(90, 2.2 * w / size * rng.uniform(0.5, 1)) + 1)), size
        )
        a, b = min(line.shape[0], h - y), min(line.shape[1], w - margin)
        if a > 0 and b > 0:
            out[y : y + a, margin : margin + b] = line[:a, :b]
        y += int(size * rng.uniform(1.0, 1.6)) + 1
    return out


def clutter(rng: Rng, image: Image8, n: int) -> None:
    """Boxes, discs, lines and words over a picture."""
    h, w = image.shape[:2]
    for _ in range(n):
        c = tuple(int(v) for v in colour(rng))
        x, y = int(rng.integers(-w // 8, w)), int(rng.integers(-h // 8, h))
        s = int(max(h, w) * np.exp(rng.uniform(np.log(0.03), np.log(0.6)))) + 1
        thick = -1 if rng.random() < 0.7 else int(rng.integers(1, 1 + max(2, s // 8)))
        draw = rng.integers(4)
        if draw == 0:
            cv2.rectangle(image, (x, y), (x + s, y + int(s * rng.uniform(0.1, 1.5))), c, thick)
        elif draw == 1:
            cv2.ellipse(
                image,
                (x, y),
                (s // 2 + 1, int(s * rng.uniform(0.1, 0.6)) + 1),
                int(rng.integers(180)),
                0,
                360,
                c,
                thick,
            )
        elif draw == 2:
            points = rng.integers(-s, s + 1, (int(rng.integers(3, 7)), 2)) + (x, y)
            cv2.fillPoly(image, [points.astype(np.int32)], c) if thick < 0 else cv2.polylines(
                image, [points.astype(np.int32)], True, c, thick
            )
        else:
            put(
                image,
                text_line(rng, words(rng, int(rng.integers(2, 20))), min(64, 8 + s // 4)),
                x,
                y,
                c,
            )


def patch(rng: Rng, image: Image8) -> None:
    """A piece of something patterned: a shirt, a vent, a shelf of books, a stamp."""
    h, w = image.shape[:2]
    ph, pw = (max(4, int(side * rng.uniform(0.1, 0.6))) for side in (h, w))
    x, y = int(rng.integers(-pw // 3, w - pw // 3)), int(rng.integers(-ph // 3, h - ph // 3))
    piece = _paint(rng, pattern(rng, ph, pw))
    mask = np.zeros((ph, pw), np.uint8)
    if rng.random() < 0.5:
        mask[:] = 1
    else:
        points = rng.uniform(-0.1, 1.1, (6, 2)) * (pw, ph)
        cv2.fillConvexPoly(mask, cv2.convexHull(points.astype(np.int32)), 1)
    x0, y0, x1, y1 = max(0, x), max(0, y), min(w, x + pw), min(h, y + ph)
    inside = (slice(y0 - y, y1 - y), slice(x0 - x, x1 - x))
    spot = image[y0:y1, x0:x1]
    spot[:] = np.where(mask[inside][..., None] > 0, piece[inside], spot)


def put(image: Image8, line: np.ndarray, x: int, y: int, ink: tuple) -> None:
    """Writes a line of text over a picture, cut at its edges."""
    h, w = image.shape[:2]
    x0, y0, x1, y1 = max(0, x), max(0, y), min(w, x + line.shape[1]), min(h, y + line.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    part = line[y0 - y : y1 - y, x0 - x : x1 - x, None].astype(np.float32) / 255
    spot = image[y0:y1, x0:x1]
    spot[:] = (spot * part + np.array(ink, np.float32) * (1 - part)).astype(np.uint8)


def surface(rng: Rng, h: int, w: int, hard: bool) -> Image8:
    """A background. A hard one resembles codes."""
    draw = rng.random()
    if hard:
        gray = (
            page(rng, h, w)
            if draw < 0.3
            else grain(rng, h, w)
            if draw < 0.45
            else pattern(rng, h, w)
        )
        image = _paint(rng, gray)
        for _ in range(rng.integers(0, 4)):
            patch(rng, image)
        if rng.random() < 0.3:
            clutter(rng, image, int(rng.integers(1, 6)))
        return image
    if draw < 0.45:
        image = np.empty((h, w, 3), np.uint8)
        image[:] = colour(rng)
    elif draw < 0.7:
        image = _paint(rng, noise(rng, h, w))
    elif draw < 0.8:
        image = _paint(rng, grain(rng, h, w))
    elif draw < 0.9:
        image = _paint(rng, page(rng, h, w))
    else:
        image = _paint(rng, pattern(rng, h, w))
    if rng.random() < 0.15:
        patch(rng, image)
    if rng.random() < 0.4:
        clutter(rng, image, int(rng.integers(1, 12)))
    return image
