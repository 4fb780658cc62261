"""What tests/python/python.test.js has made for these tests: files, and what JavaScript says of them."""

import json
import os
import re
import threading
import unittest
from pathlib import Path

FOLDER = Path(os.environ["WISP_CASES"])
MODEL = FOLDER / "tiny.wisp"
SEGMENTER = FOLDER / "segment.wisp"
PICTURE = FOLDER / "picture.png"
LOW = 0.1
"""A confidence at which the small model finds some boxes."""


def snake(options):
    """The options as Python calls them."""

    def name(key):
        return re.sub("[A-Z]", lambda letter: "_" + letter.group().lower(), key)

    tiles = options.get("tiles")
    grid = {"tiles": tuple(tiles[key] for key in ("columns", "rows", "overlap"))} if isinstance(tiles, dict) else {}
    return {**{name(key): value for key, value in options.items()}, **grid}


def cases():
    """Each with a result or an error."""
    return json.loads((FOLDER / "cases.json").read_text())


def opening(one):
    """What Detector.open is called with, besides the model."""
    options = snake(one.get("opening", {}))
    if isinstance(options.get("size"), dict):
        options["size"] = options["size"]["width"], options["size"]["height"]
    return options


def together(work, count):
    """Results of work(0) … work(count - 1), each on a thread of its own."""
    results = [None] * count

    def run(i):
        results[i] = work(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class Case(unittest.TestCase):
    """With a check for errors."""

    def refuses(self, code, sentence, call):
        """The call raises a WispError with this code whose text has this in it."""
        from wisp_yolo import WispError

        with self.assertRaises(WispError) as caught:
            call()
        self.assertRegex(str(caught.exception), sentence)
        self.assertEqual(caught.exception.code, code)
        self.assertTrue(str(caught.exception).endswith("."), str(caught.exception))
