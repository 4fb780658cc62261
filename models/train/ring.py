"""Pictures drawn ahead by a process of their own into a ring of files, so that training never waits."""

from __future__ import annotations

import multiprocessing as mp
import os
import time
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from .augment import joined
from .draw.scene import Mix
from .mine import Miner

SHARD = 128  # pictures a file
MOST = 24  # boxes a picture at most
AHEAD = 1024  # pictures drawn before any is asked for
WAIT = 600  # seconds, for the first pictures


def _draw_shard(
    folder: Path, slot: int, seed: tuple[int, ...], size: int, mix: Mix, miner: Miner | None
) -> None:
    import cv2

    from .draw.scene import draw

    cv2.setNumThreads(1)
    images = np.empty((SHARD, size, size, 3), np.uint8)
    boxes = np.full((SHARD, MOST, 5), -1, np.float32)
    plain = round(SHARD * mix.negatives) if miner else 0
    for i in range(plain, SHARD):
        images[i], found = draw(np.random.default_rng((*seed, i)), size, mix)
        boxes[i, : len(found)] = found[:MOST]
    if miner:
        images[:plain] = miner.pictures(np.random.default_rng(seed), plain)
    for name, array in (("images", images), ("boxes", boxes)):
        part = folder / f"{name}-{slot}.part.npy"
        np.save(part, array)
        os.replace(part, folder / f"{name}-{slot}.npy")


def _drawer(
    shared: Shared, seed: int, mix: Mix, reuse: float, kept: int, start: Path | None
) -> None:
    os.nice(1)
    ahead = min(shared.slots * SHARD, AHEAD)
    last = shared.folder.parent / "last.pt"
    miner = Miner(mix.photos, [last, start], shared.size) if mix.negatives else None
    shard = kept
    while True:
        if (shard - kept) * SHARD > ahead + shared.served.value / reuse:
            time.sleep(0.5)
            continue
        _draw_shard(shared.folder, shard % shared.slots, (seed, shard), shared.size, mix, miner)
        shard += 1
        shared.drawn.value = max(shared.drawn.value, shard * SHARD)


@dataclass
class Shared:
    """What the drawing process and those that train tell each other. Travels to other processes."""

    folder: Path
    size: int
    slots: int
    served: Synchronized
    drawn: Synchronized


class Ring:
    """The process that draws. Each picture is served about `reuse` times before it gives way to a new one."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        mix: Mix,
        size: int,
        pictures: int,
        reuse: float,
        start: Path | None = None,
    ):
        folder.mkdir(parents=True, exist_ok=True)
        context = mp.get_context("spawn")
        kept = len(list(folder.glob("boxes-*[0-9].npy")))  # of a run that goes on
        self.shared = Shared(
            folder,
            size,
            max(4, pictures // SHARD),
            context.Value("d", 0.0),
            context.Value("d", kept * SHARD),
        )
        self.process = context.Process(
            target=_drawer, daemon=True, args=(self.shared, seed, mix, reuse, kept, start)
        )
        self.process.start()

    def close(self) -> None:
        self.process.terminate()
        self.process.join()


class Drawn:
    """Batches out of a ring."""

    turns = True

    def __init__(self, shared: Shared, rng: np.random.Generator):
        self.shared, self.rng = shared, rng

    def batch(self, n: int, mosaic: float = 0.0) -> tuple[np.ndarray, list[np.ndarray]]:
        images, boxes = self._read(n)
        for i in range(n):
            if self.rng.random() < mosaic:
                images[i], boxes[i] = joined(*self._read(4))
        return images, boxes

    def _read(self, n: int) -> tuple[np.ndarray, list[np.ndarray]]:
        shared = self.shared
        for _ in range(WAIT):
            if shared.drawn.value >= 4 * SHARD:
                break
            time.sleep(1)
        else:
            raise RuntimeError(
                "no pictures were drawn; the message of the process that draws stands above"
            )
        ready = int(min(shared.slots, shared.drawn.value // SHARD))
        images, boxes = np.empty((n, shared.size, shared.size, 3), np.uint8), []
        for i in range(0, n, 8):
            slot = self.rng.integers(ready)
            count = min(8, n - i)
            which = np.sort(self.rng.choice(SHARD, count, replace=False))
            images[i : i + count] = np.load(shared.folder / f"images-{slot}.npy", mmap_mode="r")[
                which
            ]
            found = np.load(shared.folder / f"boxes-{slot}.npy")[which]
            boxes += [b[b[:, 0] >= 0] for b in found]
        with shared.served.get_lock():
            shared.served.value += n
        return images, boxes

    def close(self) -> None:
        """The ring is closed by who opened it."""


def fixed_set(path: Path, seed: int, size: int, n: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """`n` drawn pictures that are always the same, for held-out AP; kept in a file."""
    import cv2

    from .draw.scene import draw

    cv2.setNumThreads(1)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        images = open_memmap(path, "w+", np.uint8, (n, size, size, 3))
        boxes = np.full((n, MOST, 5), -1, np.float32)
        for i in range(n):
            images[i], found = draw(np.random.default_rng((seed, 1_000_000, i)), size)
            boxes[i, : len(found)] = found[:MOST]
        np.save(path.with_suffix(".boxes.npy"), boxes)
    boxes = np.load(path.with_suffix(".boxes.npy"))
    return np.load(path, mmap_mode="r"), [b[b[:, 0] >= 0] for b in boxes]
