"""Pictures as Python has them: arrays, Pillow images, files."""

import io
import sys
import unittest
from unittest import mock

import numpy as np
from PIL import Image

from cases import FOLDER, LOW, MODEL, PICTURE, Case
from wisp_yolo import Detector


class Arrays(Case):
    def setUp(self):
        self.detector = Detector.open(MODEL)
        self.rgb = np.asarray(Image.open(PICTURE).convert("RGB"))
        self.known = self.detect(PICTURE)
        self.assertGreater(len(self.known.boxes), 5)

    def detect(self, source, **options):
        return self.detector.detect(source, confidence=LOW, **options)

    def test_every_layout(self):
        rgb = self.rgb
        opaque = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
        wide = np.zeros((rgb.shape[0], rgb.shape[1] * 2, 3), np.uint8)
        wide[:, ::2] = rgb
        for array in (rgb, opaque, np.asfortranarray(rgb), wide[:, ::2]):
            self.assertEqual(self.detect(array), self.known)
        self.assertEqual(self.detect(rgb[:, :, ::-1].copy(), bgr=True), self.known)
        self.assertEqual(self.detect(opaque[:, :, [2, 1, 0, 3]], bgr=True), self.known)
        self.assertNotEqual(self.detect(rgb[:, :, ::-1]), self.known)

    def test_grey(self):
        grey = self.rgb[:, :, 1]
        known = self.detect(np.dstack([grey, grey, grey]))
        self.assertEqual(self.detect(grey), known)
        self.assertEqual(self.detect(grey[:, :, np.newaxis]), known)

    def test_transparency(self):
        clear = np.dstack([self.rgb, np.zeros(self.rgb.shape[:2], np.uint8)])
        white = np.full_like(self.rgb, 255)
        self.assertEqual(self.detect(clear), self.detect(white))
        dark = np.full_like(self.rgb, (0x20, 0x40, 0x60))
        self.assertEqual(self.detect(clear, background="#204060"), self.detect(dark))

    def test_corners(self):
        result = self.known
        self.assertEqual(result.corners.dtype, np.float32)
        for box, (x1, y1, x2, y2) in zip(result.boxes, result.corners):
            self.assertEqual((box.x, box.y), (x1, y1))
            self.assertEqual((box.width, box.height), (x2 - x1, y2 - y1))
        nothing = self.detector.detect(self.rgb, confidence=1)
        self.assertEqual((nothing.boxes, nothing.corners.shape), ([], (0, 4)))
        self.assertGreater(result.times.run, 0)
        self.assertGreaterEqual(result.times.total, result.times.run + result.times.pixels)

    def test_refusals(self):
        def refused(sentence, source, **options):
            self.refuses("WISP_ERR_SOURCE", sentence, lambda: self.detect(source, **options))

        refused("An array of float32 is no picture", np.zeros((9, 9, 3), np.float32))
        refused(r"An array of shape \(3, 9, 9\)", np.zeros((3, 9, 9), np.uint8))
        refused(r"shape \(2, 9, 9, 3\)", np.zeros((2, 9, 9, 3), np.uint8))
        refused("shape", np.zeros((0, 9, 3), np.uint8))
        refused("32769 × 1 pixels are too many: sides up to", np.zeros((1, 32769, 3), np.uint8))
        refused("max_pixels is 80", np.zeros((9, 9, 3), np.uint8), max_pixels=80)
        refused("A picture is a path, .* not None", None)
        refused("A picture is a path, .* not the int 5", 5)
        refused("an empty file, no picture", b"")
        refused("begins with 6e 6f 6e 65, no picture", b"none")
        refused("Addresses are not fetched", "https://example.org/a.jpg")
        refused("HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")


class Pillow(Case):
    def setUp(self):
        self.detector = Detector.open(MODEL)

    def detect(self, source):
        return self.detector.detect(source, confidence=LOW, background="#204060")

    def test_pillow_images_are_what_their_files_are(self):
        """Also those on their sides, in palettes, in grey, and transparent ones."""
        skipped = ("jpeg-cmyk", "jpeg-ycck", "gif-")  # Pillow converts CMYK differently, and GIF's frames
        for file in sorted(FOLDER.glob("*.[jpb][pnm][gp]")):
            if file.name.startswith(skipped) or file.name == "cut.jpg":
                continue
            with self.subTest(file.name), Image.open(file) as image:
                self.assertEqual(self.detect(image), self.detect(file))

    def test_other_formats_by_pillow(self):
        with Image.open(PICTURE) as image:
            known = self.detect(PICTURE)
            for kind in ("WEBP", "TIFF"):
                file = io.BytesIO()
                image.save(file, kind, lossless=True)
                self.assertEqual(self.detect(file.getvalue()), known)
                cut = file.getvalue()[:150]
                self.refuses("WISP_ERR_SOURCE", "The picture: .*", lambda cut=cut: self.detect(cut))

    def test_without_pillow(self):
        file = io.BytesIO()
        with Image.open(PICTURE) as image:
            image.save(file, "WEBP")
        with mock.patch.dict(sys.modules, {"PIL": None, "PIL.Image": None}):
            sentence = 'It is a WebP picture: "pip install pillow"'
            self.refuses("WISP_ERR_SOURCE", sentence, lambda: self.detect(file.getvalue()))
            self.detect(PICTURE)

    def test_an_image_that_breaks_off(self):
        with Image.open(FOLDER / "cut.jpg") as image:
            self.refuses("WISP_ERR_SOURCE", "Pillow can't read it", lambda: self.detect(image))


if __name__ == "__main__":
    unittest.main()
