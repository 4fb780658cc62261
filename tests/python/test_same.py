"""What the Detector finds and says in JavaScript, it finds and says here."""

import unittest
from dataclasses import asdict

import cases
from wisp_yolo import Detector, WispError


def answer(one):
    try:
        with Detector.open(one["model"], **cases.opening(one)) as detector:
            result = detector.detect(one["picture"], **cases.snake(one["options"]))
    except WispError as error:
        return {"code": error.code, "message": str(error)}
    boxes = [{name: value for name, value in asdict(box).items() if value is not None} for box in result.boxes]
    return {"boxes": boxes, "width": result.width, "height": result.height}


class Same(unittest.TestCase):
    def test_boxes(self):
        known = [one for one in cases.cases() if "result" in one]
        self.assertGreater(len(known), 0)
        for one in known:
            with self.subTest(one["picture"], **one["options"]):
                self.assertEqual(answer(one), one["result"])
        self.assertTrue(any(one["result"]["boxes"] for one in known))

    def test_sentences(self):
        for one in cases.cases():
            if "error" in one:
                with self.subTest(one["error"]["message"]):
                    wanted = one["error"]["message"].replace("maxPixels", "max_pixels")
                    self.assertEqual(answer(one), {**one["error"], "message": wanted})
