"""Photographs in training: which are kept of a package, which are shown, and codes that are marked instead of printed."""

import hashlib
import io
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import torch
import zxingcpp

sys.path.insert(0, str(Path(__file__).parents[2] / "models"))

from train import photos, state
from train.draw.marks import mark
from train.draw.photos import Photographs
from train.draw.scene import Mix, draw
from train.graph import Shape, Yolo
from train.loss import Gains, yolo_loss
from train.mine import FOOLED, Miner
from train.recipe import RecipeError

ANCHORS = [[[20, 20]], [[56, 56]], [[140, 140]]]


def picture(seed: int, h: int, w: int) -> np.ndarray:
    cells = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return cv2.resize(cells, (w, h), interpolation=cv2.INTER_CUBIC)


def debian_package(files: dict[str, bytes]) -> bytes:
    """An ar archive of three members, the third a tar archive."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    out = b"!<arch>\n"
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.xz": b"odd",
        "data.tar.xz": data.getvalue(),
    }
    for name, content in members.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        out += content + b"\n" * (len(content) % 2)
    return out


class Fetching(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = Path(place.name)

    def package(self, **more) -> photos.Package:
        def jpeg(image: np.ndarray) -> bytes:
            return cv2.imencode(".jpg", image)[1].tobytes()

        files = {
            "share/a.jpg": jpeg(picture(1, 300, 400)),
            "share/a-again.jpg": jpeg(cv2.resize(picture(1, 300, 400), (200, 170))),
            "share/large.jpg": jpeg(picture(2, 1000, 2560)),
            "share/small.jpg": jpeg(picture(3, 100, 150)),
            "share/strip.jpg": jpeg(picture(4, 200, 900)),
            "share/icons/b.jpg": jpeg(picture(5, 300, 400)),
            "share/shows-a-code.jpg": jpeg(picture(6, 300, 400)),
            "doc/c.jpg": jpeg(picture(7, 300, 400)),
            "share/torn.jpg": b"\xff\xd8 and no more",
        }
        data = debian_package(files)
        (self.folder / "some_1.0_all.deb").write_bytes(data)
        sha256 = more.pop("sha256", hashlib.sha256(data).hexdigest())
        return photos.Package(sha256, deb="some_1.0_all.deb", **more)

    def fetch(self, package: photos.Package) -> list[np.ndarray]:
        count = photos.fetch([package], self.folder / "photos", self.folder.as_uri())
        paths = sorted((self.folder / "photos" / package.name).glob("*.jpg"))
        self.assertEqual(count, len(paths))
        return [cv2.imread(str(path)) for path in paths]

    def test_keeps_each_photograph_once_and_none_too_large(self) -> None:
        kept = self.fetch(self.package(of="share/", leave=["shows-a-code"]))
        self.assertEqual(sorted(image.shape for image in kept), [(170, 200, 3), (500, 1280, 3)])

    def test_leaves_what_is_there(self) -> None:
        package = self.package()
        (self.folder / "photos" / package.name).mkdir(parents=True)
        self.assertEqual(self.fetch(package), [])

    def test_refuses_other_bytes(self) -> None:
        with self.assertRaisesRegex(RecipeError, "some: its SHA-256 is"):
            self.fetch(self.package(sha256="0" * 64))
        self.assertFalse((self.folder / "photos" / "some").exists())

    def test_names_what_is_not_there(self) -> None:
        package = photos.Package("0" * 64, deb="other_1.0_all.deb")
        with self.assertRaisesRegex(RecipeError, "other_1.0_all.deb"):
            self.fetch(package)


class Mining(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = Path(place.name)
        for seed in range(4):
            cv2.imwrite(str(self.folder / f"{seed}.jpg"), picture(seed, 90, 120))
        self.photos = Photographs(sorted(self.folder.glob("*.jpg")))

    def checkpoint(self, objectness: float) -> Path:
        """A network that is about as sure everywhere."""
        model = Yolo(Shape(["a", "b"], 0.125, 0.33, 96, 8, ANCHORS))
        for head in model.heads:
            head.bias.data.view(1, -1)[:, 4:] = objectness
        path = self.folder / f"{objectness}.pt"
        state.save(path, model, state.Average(model, 0), None)
        return path

    def test_remembers_what_fools_and_forgets_what_no_longer_does(self) -> None:
        rng = np.random.default_rng(1)
        newest = self.folder / "last.pt"
        miner = Miner(self.photos, [newest, self.checkpoint(8.0)], 96)
        shown = miner.pictures(rng, 6)
        self.assertEqual(shown.shape, (6, 96, 96, 3))
        self.assertGreater(len(miner.pool), 0)
        self.assertTrue(all(score >= FOOLED for score in miner.pool.values()))
        self.checkpoint(-8.0).rename(newest)
        before = len(miner.pool)
        miner.pictures(rng, 40)
        self.assertLess(len(miner.pool), before)

    def test_shows_the_view_that_the_model_is_surest_of(self) -> None:
        miner = Miner(self.photos, [self.checkpoint(0.0)], 96)
        seen: list[tuple[np.ndarray, np.ndarray]] = []
        scores = miner._scores

        def watched(model: Yolo, images: np.ndarray) -> np.ndarray:
            seen.append((images, scores(model, images)))
            return seen[-1][1]

        with patch.object(miner, "_scores", watched):
            shown = miner.pictures(np.random.default_rng(2), 4)
        images, surest = seen[0]
        for i, image in enumerate(shown):
            group = slice(4 * i, 4 * i + 4)
            np.testing.assert_array_equal(image, images[group][surest[group].argmax()])


class Losing(unittest.TestCase):
    def test_what_fools_objectness_belongs_to_no_class(self) -> None:
        """Two pictures with the same logits, the first with a box: only the second is told that its classes are wrong."""
        anchors = torch.tensor(ANCHORS, dtype=torch.float32)
        logits = [torch.full((2, 1, n, n, 7), 2.0, requires_grad=True) for n in (12, 6, 3)]
        far = [torch.full_like(y, -9.0) for y in logits]
        targets = torch.tensor([[0, 1, 48.0, 48.0, 50.0, 50.0]])
        for y, shy in ((logits, False), (far, True)):
            y = [t.detach().requires_grad_() for t in y]
            loss, _ = yolo_loss(y, targets, anchors, Gains(box=0, objectness=0, background=1.0))
            loss.backward()
            pushed = [t.grad[1, ..., 5:] for t in y]
            self.assertTrue(all((g == 0 if shy else g > 0).all() for g in pushed))
            self.assertEqual(float(y[0].grad[..., :5].abs().sum()), 0)
        plain = [t.detach().requires_grad_() for t in logits]
        yolo_loss(plain, targets, anchors, Gains(box=0, objectness=0))[0].backward()
        self.assertEqual(float(plain[1].grad[1].abs().sum()), 0)


class Drawing(unittest.TestCase):
    def test_marked_symbols_stand_in_their_boxes(self) -> None:
        code = zxingcpp.create_barcode("WISP 42", zxingcpp.BarcodeFormat.DataMatrix)
        bits = np.array(zxingcpp.write_barcode_to_image(code, scale=1, add_quiet_zones=False))
        read = 0
        for seed in range(40):
            image, (x0, y0, x1, y1) = mark(np.random.default_rng(seed), bits)
            found = zxingcpp.read_barcodes(image)
            read += len(found)
            for result in found:
                self.assertEqual(result.text, "WISP 42")
                place = result.position
                corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
                for corner in corners:
                    self.assertTrue(x0 - 4 <= corner.x <= x1 + 4 and y0 - 4 <= corner.y <= y1 + 4)
        self.assertGreaterEqual(read, 8)

    def test_symbols_that_are_hardly_there_are_drawn_anew(self) -> None:
        def spreads(mix: Mix) -> list[float]:
            out = []
            for seed in range(60):
                image, boxes = draw(np.random.default_rng(seed), 160, mix)
                gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
                for _, x, y, w, h in boxes:
                    y0, x0 = int(max(0, y - h / 2)), int(max(0, x - w / 2))
                    out.append(float(gray[y0 : int(y + h / 2), x0 : int(x + w / 2)].std()))
            return out

        self.assertLess(min(spreads(Mix())), 15)
        self.assertGreater(min(spreads(Mix(contrast=25))), 15)

    def test_marked_symbols_have_a_share(self) -> None:
        with patch("train.draw.scene.mark", wraps=mark) as marked:
            for seed in range(20):
                draw(np.random.default_rng(seed), 96, Mix(0, marked=1))
        self.assertGreater(marked.call_count, 5)


if __name__ == "__main__":
    unittest.main()
