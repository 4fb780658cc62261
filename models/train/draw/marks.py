"""Symbols that are not printed but peened, embossed or etched into metal, plastic or wood."""

from __future__ import annotations

import cv2
import numpy as np

from . import texture

Rng = np.random.Generator
DEPTH = 2.2  # how much light and shadow a slope of one module makes


def pixels_of(bits: np.ndarray) -> int:
    """Pixels a module."""
    return 6 if max(bits.shape) < 60 else 3


def mark(rng: Rng, bits: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """A surface with the symbol in it, u8 [h][w][3], and the symbol's box in it: x0, y0, x1, y1."""
    pixels = pixels_of(bits)
    depth, inked = _depth(rng, bits, pixels)
    zone = [int(pixels * rng.uniform(1, 6)) for _ in range(4)]
    top, right, bottom, left = zone
    depth = cv2.copyMakeBorder(depth, top, bottom, left, right, cv2.BORDER_CONSTANT)
    h, w = depth.shape
    surface = _surface(rng, h, w)
    angle = rng.uniform(0, 2 * np.pi)
    light = cv2.Sobel(depth, cv2.CV_32F, 1, 0) * np.cos(angle)
    light += cv2.Sobel(depth, cv2.CV_32F, 0, 1) * np.sin(angle)
    tone = rng.uniform(40, 110) if inked else rng.uniform(0, 35)
    if rng.random() < 0.3:
        tone = -tone
    relief = rng.uniform(0.2, 1.0) * (0.4 if inked else 1.0) * DEPTH * 20
    gray = surface - tone * depth + relief * light
    tint = rng.uniform(0.85, 1.05, 3) if rng.random() < 0.5 else np.ones(3)
    image = np.clip(gray[..., None] * tint, 0, 255).astype(np.uint8)
    return image, (left, top, w - right, h - bottom)


def _depth(rng: Rng, bits: np.ndarray, pixels: int) -> tuple[np.ndarray, bool]:
    """How deep each pixel lies, f32 0…1, and whether depth has a tone of its own."""
    ink = (bits < 128).astype(np.float32)
    draw = rng.random()
    if draw < 0.5:  # dots, not quite in their places
        h, w = bits.shape
        depth = np.zeros((h * pixels, w * pixels), np.float32)
        radius = rng.uniform(0.28, 0.52) * pixels
        shake = rng.uniform(0, 0.12) * pixels
        for y, x in np.argwhere(ink > 0):
            at = (np.array((x, y)) + 0.5) * pixels + rng.normal(0, shake, 2)
            cv2.circle(depth, tuple((at * 16).astype(int).tolist()), int(radius * 16), 1.0, -1, shift=4)
        soft = rng.uniform(0.15, 0.3)
    else:
        depth = cv2.resize(ink, None, fx=pixels, fy=pixels, interpolation=cv2.INTER_NEAREST)
        soft = rng.uniform(0.05, 0.25)
    return cv2.GaussianBlur(depth, (0, 0), soft * pixels), rng.random() < 0.6


def _surface(rng: Rng, h: int, w: int) -> np.ndarray:
    """Brushed, cast or plain, f32 [h][w]."""
    base = rng.uniform(70, 200)
    rough = rng.uniform(0, 40)
    piece = texture.grain(rng, h, w) if rng.random() < 0.6 else texture.noise(rng, h, w)
    piece = cv2.GaussianBlur(piece, (0, 0), rng.uniform(0.5, 2)).astype(np.float32)
    return base + (piece - piece.mean()) / 128 * rough
