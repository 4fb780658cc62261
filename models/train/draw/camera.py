"""What lens, light and sensor do to a picture."""

from __future__ import annotations

import cv2
import numpy as np

Rng = np.random.Generator


def bend(rng: Rng, h: int, w: int) -> np.ndarray:
    """A curved or crumpled sheet: f32 [h][w][2], how far from a pixel the pixel it shows lies."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    side = max(h, w)
    out = np.zeros((h, w, 2), np.float32)
    if rng.random() < 0.5:  # round a bottle
        k = rng.uniform(0.5, 1.2)
        axis = int(rng.integers(2))
        extent = (w, h)[axis]
        t = ((x, y)[axis] / extent - 0.5) * 2
        out[..., axis] = (np.arcsin(t * np.sin(k)) / k - t) * extent / 2
        if rng.random() < 0.5:  # and seen from above
            out[..., 1 - axis] += rng.uniform(-0.12, 0.12) * side * t * t
    else:
        for _ in range(rng.integers(1, 4)):
            angle, wave = rng.uniform(0, 6.28), side * rng.uniform(0.25, 1.2)
            phase = (x * np.cos(angle) + y * np.sin(angle)) * (6.28 / wave) + rng.uniform(0, 6.28)
            size = wave * rng.uniform(0.01, 0.05)
            turn = rng.uniform(0, 6.28)
            out += (
                np.sin(phase)[..., None] * np.array((np.cos(turn), np.sin(turn)), np.float32) * size
            )
    return out


def bend_picture(image: np.ndarray, by: np.ndarray) -> np.ndarray:
    h, w = by.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    return cv2.remap(
        image, x + by[..., 0], y + by[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )


def bend_points(points: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Where points of the flat picture are in the bent one."""
    h, w = by.shape[:2]
    out = points.copy()
    for _ in range(8):
        at = out.round().astype(int)
        out = points - by[at[:, 1].clip(0, h - 1), at[:, 0].clip(0, w - 1)]
    return out


def light(rng: Rng, image: np.ndarray) -> np.ndarray:
    """Uneven light, shadow, glare, exposure, contrast."""
    h, w = image.shape[:2]
    gain = np.ones((h, w), np.float32)
    add = np.zeros((h, w), np.float32)
    if rng.random() < 0.6:
        corners = rng.uniform(
            0.35, 1.15, (int(rng.integers(2, 4)), int(rng.integers(2, 4)))
        ).astype(np.float32)
        gain = cv2.resize(corners, (w, h), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.15:  # a shadow's edge
        mask = np.zeros((h, w), np.uint8)
        points = rng.uniform(-0.3, 1.3, (4, 2)) * (w, h)
        cv2.fillConvexPoly(mask, cv2.convexHull(points.astype(np.int32)), 255)
        gain *= 1 - cv2.blur(mask, (9, 9)).astype(np.float32) / 255 * rng.uniform(0.2, 0.6)
    if rng.random() < 0.2:
        for _ in range(rng.integers(1, 4)):
            small = np.zeros((32, 32), np.float32)
            centre = tuple(int(v) for v in rng.integers(0, 32, 2))
            axes = tuple(int(v) for v in rng.integers(1, 9, 2))
            cv2.ellipse(
                small, centre, axes, int(rng.integers(180)), 0, 360, float(rng.uniform(40, 230)), -1
            )
            small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.7, 4))
            add += cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    low = rng.uniform(0, 90) if rng.random() < 0.5 else 0
    high = rng.uniform(low + 40, 256) if rng.random() < 0.6 else 255
    if rng.random() < 0.12:
        low, high = rng.uniform(0, 15), rng.uniform(30, 80)
    gain *= (high - low) / 255
    return np.clip(image * gain[..., None] + (add + low)[..., None], 0, 255).astype(np.uint8)


def blur(rng: Rng, image: np.ndarray, limit: float) -> np.ndarray:
    """Out of focus or moved; `limit` is the largest standard deviation in pixels."""
    draw = rng.random()
    if draw < 0.5:
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, max(0.35, limit)))
    if draw < 0.75:
        n = max(3, int(limit * 3.5 * rng.random()) | 1)
        kernel = np.zeros((n, n), np.float32)
        angle = rng.uniform(0, np.pi)
        d = np.array((np.cos(angle), np.sin(angle))) * n / 2
        a, b = (n // 2 - d).round().astype(int), (n // 2 + d).round().astype(int)
        cv2.line(kernel, tuple(map(int, a)), tuple(map(int, b)), 1.0, 1)
        return cv2.filter2D(image, -1, kernel / kernel.sum())
    n = max(1, int(limit * 2 * rng.random()))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * n + 1, 2 * n + 1)).astype(np.float32)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def sensor(rng: Rng, image: np.ndarray) -> np.ndarray:
    """Noise, colour cast or none, sharpening, compression, threshold."""
    if rng.random() < 0.45:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    elif rng.random() < 0.5:
        cast = rng.uniform(0.75, 1.1, 3).astype(np.float32)
        image = np.clip(image * cast, 0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        grains = np.empty(image.shape[:2] + (1 if rng.random() < 0.6 else 3,), np.int16)
        cv2.randn(grains, 0, float(np.exp(rng.uniform(0, 3.2))))
        image = np.clip(
            image.astype(np.int16) + grains.reshape(*image.shape[:2], -1), 0, 255
        ).astype(np.uint8)
    if rng.random() < 0.15:
        soft = cv2.GaussianBlur(image, (0, 0), 1.2)
        image = cv2.addWeighted(image, 2.2, soft, -1.2, 0)
    if rng.random() < 0.05:
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        around = max(image.shape[:2]) // 4 * 2 + 1
        gray = cv2.adaptiveThreshold(
            gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, around, 4
        )
        image = cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB)
    if rng.random() < 0.3:
        quality = int(rng.integers(10, 95))
        image = cv2.imdecode(
            cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR
        )
    return image
