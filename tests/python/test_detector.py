"""A detector's life: opening, closing, threads, batches, what it tells."""

import os
import threading
import time
import unittest
from unittest import mock

import numpy as np

import cases
from cases import LOW, MODEL, PICTURE, SEGMENTER, Case
from wisp_yolo import Detector


class Masks(Case):
    def test_bitmaps_are_the_run_lengths(self):
        with Detector.open(SEGMENTER) as detector:
            bitmaps = detector.detect(PICTURE, confidence=0.3, masks="bitmap")
            lengths = detector.detect([PICTURE, PICTURE], confidence=0.3, masks="rle")[1]
            plain = detector.detect(PICTURE, confidence=0.3)
        self.assertEqual(bitmaps, plain)
        self.assertGreater(len(plain.boxes), 0)
        for bare, with_bits, with_runs in zip(plain.boxes, bitmaps.boxes, lengths.boxes):
            self.assertIsNone(bare.mask)
            mask, runs = with_bits.mask, with_runs.mask
            whole = np.zeros(runs["size"], bool)
            height, width = mask.data.shape
            whole[mask.y : mask.y + height, mask.x : mask.x + width] = mask.data
            counts = np.array(runs["counts"])
            wanted = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
            self.assertTrue(np.array_equal(whole.T.ravel(), wanted))

    def test_refusals(self):
        with Detector.open(MODEL) as detector:
            self.refuses("WISP_ERR_ARGUMENT", "finds boxes only", lambda: detector.detect(PICTURE, masks="rle"))
            self.refuses("WISP_ERR_ARGUMENT", "masks is ", lambda: detector.detect(PICTURE, masks="png"))


class Open(Case):
    def test_bytes_and_paths_are_the_same(self):
        whole = MODEL.read_bytes()
        known = Detector.open(str(MODEL)).detect(PICTURE, confidence=LOW)
        for model in (MODEL, whole, bytearray(whole), memoryview(whole)):
            with Detector.open(model) as detector:
                self.assertEqual(detector.detect(PICTURE, confidence=LOW), known)

    def test_cold(self):
        known = Detector.open(MODEL).detect(PICTURE, confidence=LOW)
        self.assertEqual(Detector.open(MODEL, warm_up=False).detect(PICTURE, confidence=LOW), known)

    def test_info(self):
        info = Detector.open(MODEL, size=(96, 64)).info
        self.assertEqual((info.width, info.height), (96, 64))
        self.assertEqual(info.threads, 1)
        self.assertTrue(info.kernels.startswith("relaxed"))
        self.assertIn("conv", {layer.operation for layer in info.layers})
        self.assertGreater(info.memory, 1 << 20)
        self.assertGreater(info.macs, 0)
        self.assertIsInstance(info.provenance, dict)

    def test_refusals(self):
        def opens(*model, **options):
            return lambda: Detector.open(*model, **options)

        wrong = "WISP_ERR_ARGUMENT"
        self.refuses(wrong, "A model is a path or the bytes .* not None", opens(None))
        self.refuses(wrong, "size is a side or .*'large'", opens(MODEL, size="large"))
        self.refuses(wrong, "size is a side", opens(MODEL, size=(64, 64, 3)))
        self.refuses(wrong, "size is a side", opens(MODEL, size=True))
        self.refuses(wrong, "warm_up is True or False, not the str 'no'", opens(MODEL, warm_up="no"))
        self.refuses(wrong, 'kernels is "auto", "narrow" or "fused"', opens(MODEL, kernels="fast"))
        self.refuses("WISP_ERR_FORMAT", "The model buffer is no .wisp file but", opens(b"GIF89a"))
        self.refuses("WISP_ERR_FORMAT", "an ONNX file.*wisp press", opens(b"\x08\x07\x12\x04"))
        self.refuses("WISP_ERR_FORMAT", "a PyTorch checkpoint", opens(b"PK\x03\x04rest"))
        self.refuses("WISP_ERR_TRUNCATED", "The model buffer ends after 0 bytes", opens(b""))
        self.refuses("WISP_ERR_FETCH", "no such file", opens("no\nsuch.wisp"))


class Life(Case):
    def test_closed(self):
        with Detector.open(MODEL) as detector:
            pass
        self.refuses("WISP_ERR_CLOSED", "is closed", lambda: detector.detect(PICTURE))
        detector.close()

    def test_a_refusal_loses_nothing(self):
        with Detector.open(MODEL) as detector:
            known = detector.detect(PICTURE, confidence=LOW)
            self.refuses("WISP_ERR_ARGUMENT", "is 2", lambda: detector.detect(PICTURE, confidence=2))
            self.refuses("WISP_ERR_SOURCE", "no picture", lambda: detector.detect(b"?"))
            self.assertEqual(detector.detect(PICTURE, confidence=LOW), known)

    def test_options_of_one_call_are_not_those_of_the_next(self):
        with Detector.open(MODEL) as detector:
            known = detector.detect(PICTURE, confidence=LOW)
            detector.detect(PICTURE, confidence=0.9, classes=[0], max_detections=1, rect=False)
            self.assertEqual(detector.detect(PICTURE, confidence=LOW), known)

    def test_wrong_options(self):
        detector = Detector.open(MODEL)

        def refused(sentence, **options):
            self.refuses("WISP_ERR_ARGUMENT", sentence, lambda: detector.detect(PICTURE, **options))

        refused("confidence is a number, not the str '0.5'", confidence="0.5")
        refused("confidence is a number, not", confidence=float("nan"))
        refused("max_detections is a whole number, not the float 1.5", max_detections=1.5)
        refused("max_detections is a whole number", max_detections=2**40)
        refused("multi_label is True or False, not the int 1", multi_label=1)
        refused('tiles is "auto", "none" or .columns, rows., not the str', tiles="grid")
        refused("tile_rows is a whole number, not the float 1.5", tiles=(2, 1.5))
        refused("2 columns and 40 rows of tiles were asked for", tiles=(2, 40))
        refused("The overlap of tiles is 0.6", tiles=(2, 2, 0.6))
        refused("classes is a list of names or indices, not the str 'car'", classes="car")
        refused("classes is a list of names or indices, not the float 1.5", classes=[1.5])
        refused("has no class 99", classes=[99])
        refused("background is a colour", background="white")
        refused("max_pixels is a number from 1 on", max_pixels=0)
        with self.assertRaises(TypeError):
            detector.detect(PICTURE, conf=0.5)

    def test_memory_stays_flat(self):
        with Detector.open(MODEL) as detector:
            sizes = []
            for _ in range(30):
                detector.detect([PICTURE, np.zeros((300, 400, 3), np.uint8)])
                sizes.append(detector._instance.size())
            self.assertEqual(sizes[3], sizes[-1])


class Batches(Case):
    def test_batch(self):
        with Detector.open(MODEL) as detector:
            sources = [PICTURE, np.full((50, 90, 3), 80, np.uint8), PICTURE.read_bytes()]
            alone = [detector.detect(one, confidence=LOW) for one in sources]
            self.assertEqual(detector.detect(sources, confidence=LOW), alone)
            self.assertEqual(detector.detect(tuple(sources), confidence=LOW), alone)
            self.assertEqual(detector.detect([]), [])

    def test_large_ones_go_in_parts(self):
        with Detector.open(MODEL) as detector:
            large = np.random.default_rng(1).integers(0, 255, (2200, 2200, 3), np.uint8)
            alone = detector.detect(large, confidence=LOW)
            self.assertEqual(detector.detect([large] * 5, confidence=LOW), [alone] * 5)

    def test_the_wrong_one_is_named(self):
        detector = Detector.open(MODEL)
        batch = [PICTURE, b"nothing"]
        self.refuses("WISP_ERR_SOURCE", "^Picture 2 of 2: ", lambda: detector.detect(batch))


class Threads(Case):
    def test_each_with_its_own(self):
        known = Detector.open(MODEL).detect(PICTURE, confidence=LOW)

        def work(_):
            with Detector.open(MODEL) as detector:
                return [detector.detect(PICTURE, confidence=LOW) for _ in range(20)]

        for results in cases.together(work, 4):
            self.assertEqual(results, [known] * 20)

    def test_one_for_all(self):
        with Detector.open(MODEL) as detector:
            sizes = (30, 60, 90)
            sources = [np.full((size, size, 3), size, np.uint8) for size in sizes]
            known = [detector.detect(one, confidence=LOW) for one in sources]

            def work(i):
                return [detector.detect(sources[i], confidence=LOW) for _ in range(20)]

            for results, wanted in zip(cases.together(work, 3), known):
                self.assertEqual(results, [wanted] * 20)

    def test_the_engine_runs_without_the_gil(self):
        """Another thread gets on in the middle of a long detect, where it could not if that held the GIL."""
        detector, beats, spans = Detector.open(MODEL), [], []
        done = threading.Event()

        def beat():
            while not done.wait(0.0005):
                beats.append(time.perf_counter())

        engine = detector._instance.call

        def call(name, *parameters):
            started = time.perf_counter()
            told = engine(name, *parameters)
            if name == "runtime_detect":
                spans.append((started, time.perf_counter()))
            return told

        thread = threading.Thread(target=beat)
        thread.start()
        with mock.patch.object(detector._instance, "call", call):
            detector.detect([np.zeros((70, 70, 3), np.uint8)] * 600)
        done.set()
        thread.join()
        ((started, ended),) = spans
        third = (ended - started) / 3
        self.assertTrue(any(started + third < at < ended - third for at in beats))

    @unittest.skipUnless(hasattr(os, "fork"), "there is no fork here")
    def test_fork(self):
        """What was opened before a fork works after it, as multiprocessing does on Linux."""
        with Detector.open(MODEL) as detector:
            known = detector.detect(PICTURE, confidence=LOW)
            child = os.fork()
            if child == 0:
                same = detector.detect(PICTURE, confidence=LOW) == known
                fresh = Detector.open(MODEL).detect(PICTURE, confidence=LOW) == known
                os._exit(0 if same and fresh else 1)
            self.assertEqual(os.waitpid(child, 0)[1], 0)
