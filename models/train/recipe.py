"""A training recipe: a YAML file, read into dataclasses that name what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from .loss import Gains


class RecipeError(ValueError):
    """A sentence about a recipe or a data set that can't be used."""


@dataclass
class Phase:
    """A stretch of training. It lasts `steps` steps, or `minutes` of the clock."""

    name: str
    steps: int = 0
    minutes: float = 0.0
    rate: list[float] = field(
        default_factory=lambda: [1.5e-3, 1e-4]
    )  # learning rate, first to last
    size: int = 0  # smaller pictures than the model's, for speed; 0: the model's
    mosaic: float = 0.0  # share of pictures that are four, made smaller, side by side
    sparsity: float = (
        0.0  # share of the 1x4 blocks that are zero at the end; reached at half of the phase
    )
    quantise: bool = False  # compute with wisp's integers
    background: float = 0.0  # how much what fools objectness in pictures without a box is told that it is of no class


@dataclass
class Network:
    """Width and depth multiply YOLOv5's channels and repeats: n is 0.25 and 0.33, s 0.5 and 0.33, m 0.75 and 0.67."""

    width: float = 0.25
    depth: float = 0.33
    size: int = 320
    divisor: int = 8
    anchors: list = field(
        default_factory=lambda: [
            [[10, 13], [16, 30], [33, 23]],
            [[30, 61], [62, 45], [59, 119]],
            [[116, 90], [156, 198], [373, 326]],
        ]
    )


@dataclass
class Data:
    """`kind` is drawn (codes, without end), or folder (a data.yaml as Ultralytics' YOLOv5 reads it)."""

    kind: str = "drawn"
    path: str = ""
    pictures: int = 6144  # drawn: kept at a time
    reuse: float = 3.0  # drawn: how often each is shown
    held_out: int = 300  # drawn: for AP
    empty: float = 0.18  # drawn: share of a camera's pictures that show no code
    more: dict[str, float] = field(
        default_factory=dict
    )  # drawn: by class, how many times as often as usual
    photos: str = ""  # drawn: a folder of photographs without a code
    backgrounds: float = 0.0  # drawn: share of a camera's pictures that stand on a photograph
    negatives: float = 0.0  # drawn: share of the pictures that are a photograph and nothing else
    marked: float = 0.0  # drawn: share of the symbols that are peened, etched or embossed
    contrast: float = 0.0  # drawn: least standard deviation of a symbol's grey values
    scale: float = 0.4  # folder: pictures are made smaller or larger by up to this share


@dataclass
class Recipe:
    name: str
    phases: list[Phase]
    network: Network = field(default_factory=Network)
    data: Data = field(default_factory=Data)
    gains: Gains = field(default_factory=Gains)
    seed: int = 1
    batch: int = 18  # pictures a step, of all workers
    workers: int = 1  # processes that share a step
    bf16: bool = False  # multiply in bfloat16: faster where the processor or the GPU can
    decay: float = 0.02  # of the weights
    average: float = 0.999  # of the weights over the steps
    evaluate_every: float = 4.0  # minutes
    distil_size: int = 0  # side of the pictures that a teacher shows; 0: the teacher's own


def filled(kind: type, values: Any, where: str) -> Any:
    if not isinstance(values, dict):
        raise RecipeError(f"{where} is not a table of names and values.")
    known = {f.name for f in fields(kind)}
    for name in values:
        if name not in known:
            raise RecipeError(
                f"{where} has no setting {name!r}; it has {', '.join(sorted(known))}."
            )
    try:
        return kind(**values)
    except TypeError as error:
        raise RecipeError(f"{where}: {error}.") from error


def check(recipe: Recipe) -> Recipe:
    if not recipe.phases:
        raise RecipeError("The recipe has no phases; give at least one.")
    for phase in recipe.phases:
        if not isinstance(phase.name, str):
            raise RecipeError(f"The phase {phase.name} has no text for a name; put it in quotes.")
        if (phase.steps > 0) == (phase.minutes > 0):
            raise RecipeError(f"Phase {phase.name!r} needs either steps or minutes.")
        if not 0 <= phase.sparsity < 1:
            raise RecipeError(
                f"Phase {phase.name!r}: sparsity {phase.sparsity} is not a share below 1."
            )
        if len(phase.rate) != 2:
            raise RecipeError(f"Phase {phase.name!r}: rate is two numbers, first and last.")
    if recipe.network.size % 32:
        raise RecipeError(f"network: size {recipe.network.size} is not a multiple of 32.")
    if recipe.network.divisor % 4:
        raise RecipeError(
            f"network: divisor {recipe.network.divisor} is not a multiple of 4, the length of a block."
        )
    if recipe.batch < recipe.workers or recipe.workers < 1:
        raise RecipeError(f"batch {recipe.batch} can't be shared by {recipe.workers} workers.")
    if recipe.data.kind not in ("drawn", "folder"):
        raise RecipeError(f"data: kind {recipe.data.kind!r} is neither drawn nor folder.")
    return recipe


def parse(values: Any, where: str) -> Recipe:
    if not isinstance(values, dict) or not isinstance(values.get("phases"), list):
        raise RecipeError(f"{where} is not a recipe: it has no list of phases.")
    values = dict(values)
    values["phases"] = [
        filled(Phase, p, f"{where}, phase {i + 1}") for i, p in enumerate(values["phases"])
    ]
    for name, kind in (("network", Network), ("data", Data), ("gains", Gains)):
        if name in values:
            values[name] = filled(kind, values[name], f"{where}, {name}")
    values.setdefault("name", "run")
    return check(filled(Recipe, values, where))


def read(path: Path) -> Recipe:
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecipeError(f"{path}: {error}") from error
    return parse(values, str(path))
