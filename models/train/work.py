"""What the processes of a run do. Not in __main__: processes that are started afresh can't import from there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .distil import Distil, Photos, as_taught
from .draw.photos import Photographs
from .draw.scene import Mix
from .draw.symbols import CLASSES, SHARES
from .folder import Folder, letterboxed, pictures_in, read_data
from .loop import Job, Trainer, supervised
from .recipe import Data, Recipe, RecipeError
from .ring import Drawn, Ring, Shared, fixed_set
from .teacher import load_teacher
from .workers import device, together

RUNS = Path(__file__).parent / "runs"
HELD_OUT_SEED = 99


def held_out(recipe: Recipe, classes: list[str]) -> tuple[np.ndarray, list[np.ndarray]]:
    size = recipe.network.size
    if recipe.data.kind == "folder":
        return letterboxed(read_data(Path(recipe.data.path)).held_out, len(classes), size)
    return fixed_set(
        RUNS / f"held-out-{size}-{recipe.data.held_out}.npy",
        HELD_OUT_SEED,
        size,
        recipe.data.held_out,
    )


def work(rank: int, job: Job, shared: Shared | None) -> None:
    recipe = job.recipe
    rng = np.random.default_rng((recipe.seed, 1 + rank))
    if shared:
        source = Drawn(shared, rng)
    else:
        data = recipe.data
        paths = read_data(Path(data.path)).train
        source = Folder(paths, len(job.classes), recipe.network.size, data.scale, rng)
    judged = held_out(recipe, job.classes) if rank == 0 else None
    Trainer(job, rank, source, judged, supervised(recipe)).run()


def _photos(data: Data) -> Photographs | None:
    if not data.photos:
        if data.backgrounds or data.negatives:
            raise RecipeError("data: backgrounds and negatives need photos, a folder.")
        return None
    paths = pictures_in(Path(data.photos))
    if not paths:
        raise RecipeError(
            f"data: photos: {data.photos} has no picture; python -m train photos fetches some."
        )
    return Photographs(paths)


def mix_of(data: Data) -> Mix:
    """What a recipe wants drawn. Held-out pictures are always of the usual mix."""
    for name in data.more:
        if name not in CLASSES:
            raise RecipeError(f"data: more: there is no {name!r}; drawn are {', '.join(CLASSES)}.")
    shares = [share * data.more.get(name, 1.0) for name, share in zip(CLASSES, SHARES)]
    photos = _photos(data)
    return Mix(
        data.empty,
        tuple(share / sum(shares) for share in shares),
        photos,
        data.backgrounds,
        data.negatives,
        data.marked,
        data.contrast,
    )


def run(job: Job) -> None:
    recipe = job.recipe
    if recipe.data.kind == "folder":
        together(recipe.workers, work, job, None)
        return
    mix = mix_of(recipe.data)
    held_out(recipe, job.classes)
    ring = Ring(
        job.folder / "ring",
        recipe.seed,
        mix,
        recipe.network.size,
        recipe.data.pictures,
        recipe.data.reuse,
        job.start,
    )
    try:
        together(recipe.workers, work, job, ring.shared)
    finally:
        ring.close()


def distil_work(
    rank: int, job: Job, teacher: Path, photos: list[Path], judged: list[Path], size: int
) -> None:
    taught = load_teacher(teacher).to(device())
    rng = np.random.default_rng((job.recipe.seed, 1 + rank))
    source = Photos(photos, size, job.recipe.data.scale, rng)
    agreed = as_taught(taught, judged, size) if rank == 0 else None
    Trainer(job, rank, source, agreed, Distil(taught)).run()
