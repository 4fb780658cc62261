"""Random symbols, rendered by zxing-cpp's writer (Zint): content, version and style by chance."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import zxingcpp

Rng = np.random.Generator
FORMAT = zxingcpp.BarcodeFormat

CLASSES = ["qr_code", "micro_qr", "rmqr", "data_matrix", "aztec", "pdf417", "maxicode", "linear"]
SHARES = (0.25, 0.07, 0.06, 0.24, 0.1, 0.13, 0.05, 0.1)
TEXT = string.ascii_letters + string.digits + " :/.-?=&%+"


@dataclass
class Symbol:
    bits: np.ndarray  # u8 [h][w], 0 is ink, 255 is paper: one module a pixel (MaxiCode: finer)
    kind: int  # index in CLASSES
    text: str  # what people read under it
    modules: bool  # pixels of `bits` are square modules


def _text(rng: Rng, low: int, high: int) -> str:
    n = int(np.exp(rng.uniform(np.log(low), np.log(high))))
    letters = TEXT if rng.random() < 0.6 else string.ascii_uppercase + string.digits
    if rng.random() < 0.3:
        letters = string.digits
    return "".join(letters[i] for i in rng.integers(0, len(letters), n))


def _digits(rng: Rng, n: int) -> str:
    return "".join(map(str, rng.integers(0, 10, n)))


def _render(content: str, kind: zxingcpp.BarcodeFormat, scale: int = 1, **options) -> np.ndarray:
    code = zxingcpp.create_barcode(content, kind, **options)
    image = zxingcpp.write_barcode_to_image(code, scale=scale, add_hrt=False, add_quiet_zones=False)
    return np.array(image)


def _qr(rng: Rng) -> tuple[np.ndarray, str]:
    text = _text(rng, 3, 60)
    options: dict = {"ec_level": "LMQH"[rng.integers(4)]}
    if rng.random() < 0.5:
        options["version"] = int(
            rng.integers(7, 12) if rng.random() < 0.6 else rng.integers(12, 41)
        )
    return _render(text, FORMAT.QRCode, **options), text


def _micro_qr(rng: Rng) -> tuple[np.ndarray, str]:
    text = _digits(rng, int(rng.integers(1, 12))) if rng.random() < 0.6 else _text(rng, 1, 8)
    return _render(text, FORMAT.MicroQRCode), text


def _rmqr(rng: Rng) -> tuple[np.ndarray, str]:
    text = _text(rng, 1, 40)
    options = {"version": int(rng.integers(1, 33))} if rng.random() < 0.7 else {}
    return _render(text, FORMAT.RMQRCode, **options), text


def _data_matrix(rng: Rng) -> tuple[np.ndarray, str]:
    text = _text(rng, 1, 30)
    options: dict = {}
    if rng.random() < 0.75:
        options["version"] = int(
            rng.integers(1, 49) if rng.random() < 0.7 else rng.integers(25, 49)
        )
    return _render(text, FORMAT.DataMatrix, **options), text


def _aztec(rng: Rng) -> tuple[np.ndarray, str]:
    if rng.random() < 0.08:
        text = str(rng.integers(0, 256))
        return _render(text, FORMAT.AztecRune), text
    text = _text(rng, 1, 40)
    options = {}
    if rng.random() < 0.6:
        options["version"] = int(
            rng.integers(1, 16) if rng.random() < 0.75 else rng.integers(16, 37)
        )
    return _render(text, FORMAT.AztecCode, **options), text


def _pdf417(rng: Rng) -> tuple[np.ndarray, str]:
    text = _text(rng, 1, 200)
    draw = rng.random()
    if draw < 0.25:
        return _render(text[:60], FORMAT.MicroPDF417), text
    if draw < 0.4:
        return _render(text, FORMAT.CompactPDF417), text
    options = {"version": int(rng.integers(1, 12))} if rng.random() < 0.6 else {}
    bits = _render(text, FORMAT.PDF417, **options)
    if rng.random() < 0.3:  # taller or flatter rows than the writer's three modules
        rows = bits.shape[0] // 3
        bits = np.repeat(bits[::3], int(rng.integers(2, 7)), 0) if rows > 3 else bits
    return bits, text


def _maxicode(rng: Rng) -> tuple[np.ndarray, str]:
    text = _text(rng, 1, 80)
    return _render(text, FORMAT.MaxiCode, scale=2), text


def _expanded(rng: Rng) -> str:
    return f"(01)9{_digits(rng, 13)}" + (f"(10){_digits(rng, 5)}" if rng.random() < 0.5 else "")


LINEAR: list[tuple[float, zxingcpp.BarcodeFormat, Callable[[Rng], str]]] = [
    (5, FORMAT.EAN13, lambda rng: _digits(rng, 12)),
    (2, FORMAT.EAN8, lambda rng: _digits(rng, 7)),
    (4, FORMAT.UPCA, lambda rng: _digits(rng, 11)),
    (2, FORMAT.UPCE, lambda rng: "0" + _digits(rng, 6)),
    (
        3,
        FORMAT.Code39,
        lambda rng: _text(rng, 3, 16).upper().replace("?", "A").replace("=", "B").replace("&", "C"),
    ),
    (1.5, FORMAT.Code93, lambda rng: _text(rng, 3, 18).upper()),
    (5, FORMAT.Code128, lambda rng: _text(rng, 2, 24)),
    (2, FORMAT.ITF, lambda rng: _digits(rng, 2 * int(rng.integers(2, 10)))),
    (2, FORMAT.Codabar, lambda rng: f"A{_digits(rng, int(rng.integers(4, 14)))}B"),
    (1, FORMAT.DataBar, lambda rng: _digits(rng, 13)),
    (1, FORMAT.DataBarLtd, lambda rng: "0" + _digits(rng, 12)),
    (0.7, FORMAT.DataBarStk, lambda rng: _digits(rng, 13)),
    (0.7, FORMAT.DataBarStkOmni, lambda rng: _digits(rng, 13)),
    (1, FORMAT.DataBarExp, _expanded),
    (1, FORMAT.DataBarExpStk, _expanded),
]
STACKED = {FORMAT.DataBarStk, FORMAT.DataBarStkOmni, FORMAT.DataBarExpStk}
WEIGHTS = np.array([row[0] for row in LINEAR]) / sum(row[0] for row in LINEAR)


def _linear(rng: Rng) -> tuple[np.ndarray, str]:
    _, kind, content = LINEAR[rng.choice(len(LINEAR), p=WEIGHTS)]
    text = content(rng)
    bits = _render(text, kind)
    if kind in STACKED:
        return bits, text
    share = np.exp(rng.uniform(np.log(0.12), np.log(1.0)))
    tall = max(4, int(share * bits.shape[1]))
    body = np.repeat(bits[bits.shape[0] // 3][None], tall, 0)
    if kind in (FORMAT.EAN13, FORMAT.EAN8, FORMAT.UPCA, FORMAT.UPCE) and rng.random() < 0.5:
        body = np.vstack((body, np.repeat(bits[-1:], max(1, tall // 12), 0)))  # guard bars
    elif rng.random() < 0.06:  # bearer bars
        bar = np.zeros((max(2, tall // 12), body.shape[1]), np.uint8)
        body = np.vstack((bar, body, bar))
    if rng.random() < 0.12 and kind in (FORMAT.EAN13, FORMAT.UPCA):  # add-on of two or five digits
        addon = (
            _render(_digits(rng, 5), FORMAT.EAN5)
            if rng.random() < 0.5
            else _render(_digits(rng, 2), FORMAT.EAN2)
        )
        side = np.full((body.shape[0], addon.shape[1] + 9), 255, np.uint8)
        side[tall // 5 :, 9:] = addon[addon.shape[0] // 2]
        body = np.hstack((body, side))
    return body, text


MAKERS = [_qr, _micro_qr, _rmqr, _data_matrix, _aztec, _pdf417, _maxicode, _linear]


def symbol(rng: Rng, shares: Sequence[float] = SHARES) -> Symbol:
    """A random symbol, of each kind its share. A content that its kind refuses is drawn anew."""
    kind = int(rng.choice(len(CLASSES), p=shares))
    while True:
        try:
            bits, text = MAKERS[kind](rng)
        except ValueError:
            continue
        if bits.ndim == 2 and min(bits.shape) >= 4:
            return Symbol(bits, kind, text, CLASSES[kind] != "maxicode")


def style(rng: Rng, bits: np.ndarray, pixels: int, kind: int) -> np.ndarray:
    """Modules → `pixels` pixels each, with the printer's freedoms: ink spread, round modules, a logo."""
    out = cv2.resize(bits, None, fx=pixels, fy=pixels, interpolation=cv2.INTER_NEAREST)
    matrix = CLASSES[kind] in ("qr_code", "micro_qr", "rmqr", "data_matrix", "aztec")
    if matrix and pixels >= 4 and rng.random() < 0.12:
        tile = np.full((pixels, pixels), 255, np.uint8)
        radius = rng.uniform(0.35, 0.5) * pixels
        cv2.circle(tile, (pixels // 2, pixels // 2), round(radius), 0, -1)
        out = np.maximum(out, np.tile(tile, bits.shape))
    elif pixels >= 3 and rng.random() < 0.25:
        kernel = np.ones((2, 2) if rng.random() < 0.5 else (3, 3), np.uint8)
        if kernel.shape[0] < pixels:
            out = cv2.erode(out, kernel) if rng.random() < 0.7 else cv2.dilate(out, kernel)
    if CLASSES[kind] == "qr_code" and rng.random() < 0.1:
        h, w = out.shape
        a = int(w * rng.uniform(0.1, 0.16))
        cv2.rectangle(out, (w // 2 - a, h // 2 - a), (w // 2 + a, h // 2 + a), 255, -1)
        cv2.circle(out, (w // 2, h // 2), max(1, int(a * 0.8)), int(rng.integers(0, 160)), -1)
    return out
