"""`python -m train`: trains, transfers, distils, exports, draws. Run it in models/."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from . import state
from .detect import detect
from .draw.symbols import CLASSES
from .export import save_onnx, shift_logits
from .folder import pictures_in, read_data
from .loop import Job
from .metrics import IOUS, evaluate
from .photos import ARCHIVE, fetch, read_packages
from .recipe import Network, Recipe, RecipeError, check, read
from .teacher import load_teacher
from .work import RUNS, distil_work, held_out, run
from .workers import device, together

HERE = Path(__file__).parent
JUDGED_PHOTOS = 16


def _read(path: Path) -> Recipe:
    recipe = read(path)
    if device().type != "cpu":
        recipe.workers = 1
    return recipe


def _distil(arguments: argparse.Namespace) -> None:
    """The pupil is the teacher itself, or what a press made of it: its checkpoint is where the run starts."""
    recipe = _read(arguments.recipe)
    if arguments.begin and arguments.sparsity is not None:
        raise RecipeError("--begin brings its own zeros; leave --sparsity out.")
    for phase in recipe.phases:
        if arguments.begin:
            phase.sparsity = 0
        elif phase.sparsity and arguments.sparsity is not None:
            phase.sparsity = arguments.sparsity
    check(recipe)
    photos = [p for place in arguments.images for p in pictures_in(place)]
    if len(photos) < 2 * JUDGED_PHOTOS:
        raise RecipeError(
            f"{', '.join(map(str, arguments.images))}: {len(photos)} pictures; give {2 * JUDGED_PHOTOS} or more."
        )
    judged = photos[:: len(photos) // JUDGED_PHOTOS][:JUDGED_PHOTOS]
    photos = [p for p in photos if p not in set(judged)]
    folder = arguments.output or RUNS / f"{arguments.teacher.stem}-distilled"
    folder.mkdir(parents=True, exist_ok=True)
    taught = load_teacher(arguments.teacher)
    shape = taught.shape
    recipe.network = Network(shape.width, shape.depth, shape.size, shape.divisor, shape.anchors)
    pupil = load_teacher(arguments.begin) if arguments.begin else taught
    if pupil.shape.as_dict() != shape.as_dict():
        raise RecipeError(f"{arguments.begin} is of another shape than {arguments.teacher}.")
    start = folder / "pupil.pt"
    state.save(start, pupil, state.Average(pupil, 0), None)
    job = Job(recipe, folder, shape.classes, start, arguments.resume)
    together(
        recipe.workers,
        distil_work,
        job,
        arguments.teacher,
        photos,
        judged,
        recipe.distil_size or shape.size,
    )
    print(
        f"{folder}: checkpoints, curve.csv and curve.svg. Next: python -m train export {folder / 'last.pt'}"
    )


def _recipe(arguments: argparse.Namespace) -> tuple[Recipe, list[str]]:
    recipe = _read(arguments.recipe)
    if arguments.data:
        recipe.data = replace(recipe.data, kind="folder", path=str(arguments.data))
    if recipe.data.kind == "folder" and not recipe.data.path:
        raise RecipeError(f"{arguments.recipe} trains on a folder; name its data.yaml with --data.")
    classes = read_data(Path(recipe.data.path)).names if recipe.data.kind == "folder" else CLASSES
    return recipe, classes


def _train(arguments: argparse.Namespace) -> None:
    recipe, classes = _recipe(arguments)
    folder = arguments.output or RUNS / recipe.name
    start = getattr(arguments, "checkpoint", None)
    if start:
        shape = state.load(start)["shape"]
        recipe.network = Network(**{name: shape[name] for name in vars(recipe.network)})
        recipe.network.size = arguments.size or shape["size"]
        check(recipe)
    run(Job(recipe, folder, classes, start, arguments.resume))
    print(
        f"{folder}: checkpoints, curve.csv and curve.svg. Next: python -m train export {folder / 'last.pt'}"
    )


def _shift(text: str) -> tuple[str, float]:
    """NAME=LOGITS"""
    name, _, by = text.partition("=")
    try:
        return name, float(by)
    except ValueError:
        raise RecipeError(f"--shift {text}: give a class and a number, as in linear=0.5.") from None


def _export(arguments: argparse.Namespace) -> None:
    model = state.load_model(arguments.checkpoint)
    output = arguments.output or arguments.checkpoint.with_suffix(".onnx")
    kept = state.load(arguments.checkpoint)
    note = {
        "pictures": kept.get("pictures", 0),
        "trained": "int8" if kept["quantised"] else "float",
    }
    classes = dict(map(_shift, arguments.shift))
    for name in classes:
        if name not in model.shape.classes:
            raise RecipeError(
                f"--shift: there is no class {name!r}; there are {', '.join(model.shape.classes)}."
            )
    shift_logits(model, arguments.objectness, classes)
    if arguments.objectness:
        note["objectness"] = arguments.objectness
    if classes:
        note["classes"] = classes
    save_onnx(model, output, note)
    print(
        f"{output}: next, wisp press {output}" + ("" if kept["quantised"] else " --calib photos/")
    )


def _val(arguments: argparse.Namespace) -> None:
    model = state.load_model(arguments.checkpoint)
    recipe, classes = _recipe(arguments)
    recipe.network = replace(recipe.network, size=model.shape.size)
    ap = evaluate(model, *held_out(recipe, classes))
    table = {
        name: {"AP": round(100 * float(a.mean()), 2), "AP50": round(100 * float(a[0]), 2)}
        for name, a in zip(classes, ap)
    }
    print(
        json.dumps(
            {
                "AP": round(100 * float(np.nanmean(ap)), 2),
                "AP50": round(100 * float(np.nanmean(ap[:, 0])), 2),
                "IoU": [round(float(v), 2) for v in IOUS],
                "classes": table,
            },
            indent=1,
        )
    )


def _detect(arguments: argparse.Namespace) -> None:
    model = state.load_model(arguments.checkpoint)
    for picture in arguments.pictures:
        print(json.dumps(detect(model, picture, arguments.confidence)))


def _draw(arguments: argparse.Namespace) -> None:
    from .draw.dataset import write_dataset

    write_dataset(arguments.output, arguments.count, arguments.size, arguments.seed)
    print(f"{arguments.output}: {arguments.count} pictures, data.yaml and instances.json")


def _photos(arguments: argparse.Namespace) -> None:
    count = fetch(read_packages(arguments.list), arguments.output, arguments.archive)
    print(f"{arguments.output}: {count} photographs without a code")


def _with_recipe(command: argparse.ArgumentParser, default: str) -> None:
    command.add_argument(
        "--recipe",
        type=Path,
        default=HERE / "recipes" / default,
        help="a YAML file (default: %(default)s)",
    )


def _with_data(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data", type=Path, help="a data.yaml as YOLOv5 reads it; overrides the recipe's data"
    )


def _with_run(command: argparse.ArgumentParser) -> None:
    command.add_argument("--output", type=Path, help="folder of the run (default: train/runs/NAME)")
    command.add_argument("--resume", action="store_true", help="go on where the run stopped")
    command.set_defaults(run=_train)


def _add_runs(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("train", help="from nothing, by a recipe")
    _with_recipe(command, "codes.yaml")
    _with_data(command)
    _with_run(command)
    command = commands.add_parser(
        "transfer", help="from a checkpoint, on other pictures; its zero blocks stay zero"
    )
    command.add_argument("checkpoint", type=Path)
    command.add_argument("--size", type=int, help="of the input, instead of the checkpoint's")
    _with_recipe(command, "transfer.yaml")
    _with_data(command)
    _with_run(command)
    command = commands.add_parser(
        "distil", help="make a YOLOv5 that exists sparse, from pictures without labels"
    )
    command.add_argument(
        "--teacher", type=Path, required=True, help="ONNX as YOLOv5's export.py writes it"
    )
    command.add_argument(
        "--images", type=Path, action="append", required=True, help="a folder; may be repeated"
    )
    command.add_argument(
        "--begin", type=Path, help="ONNX that wisp press made of the teacher; its zeros stay"
    )
    command.add_argument(
        "--sparsity", type=float, help="share of zero 1x4 blocks, instead of the recipe's"
    )
    _with_recipe(command, "distil.yaml")
    _with_run(command)
    command.set_defaults(run=_distil)


def _add_uses(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("export", help="a checkpoint as ONNX, for wisp press")
    command.add_argument("checkpoint", type=Path)
    command.add_argument("-o", "--output", type=Path)
    command.add_argument(
        "--objectness",
        type=float,
        default=0.0,
        help="added to the logits of objectness: below 0, fewer boxes at the same confidence",
    )
    command.add_argument(
        "--shift",
        action="append",
        default=[],
        metavar="CLASS=LOGITS",
        help="the same for the logits of one class; may be repeated",
    )
    command.set_defaults(run=_export)
    command = commands.add_parser("val", help="AP of a checkpoint on the held-out pictures")
    command.add_argument("checkpoint", type=Path)
    _with_recipe(command, "codes.yaml")
    _with_data(command)
    command.set_defaults(run=_val)
    command = commands.add_parser("detect", help="boxes of a checkpoint, as wisp detect tells them")
    command.add_argument("checkpoint", type=Path)
    command.add_argument("pictures", type=Path, nargs="+")
    command.add_argument("--confidence", type=float, default=0.25)
    command.set_defaults(run=_detect)
    command = commands.add_parser(
        "draw", help="a folder of drawn pictures with labels, in YOLO's and COCO's way"
    )
    command.add_argument("output", type=Path)
    command.add_argument("--count", type=int, default=40)
    command.add_argument("--size", type=int, default=320)
    command.add_argument("--seed", type=int, default=1)
    command.set_defaults(run=_draw)
    command = commands.add_parser(
        "photos", help="photographs without a code, out of packages with free licences"
    )
    command.add_argument("output", type=Path, nargs="?", default=RUNS / "photos")
    command.add_argument("--list", type=Path, default=HERE / "recipes" / "photos.yaml")
    command.add_argument("--archive", default=ARCHIVE, help="Debian's, or a mirror of it")
    command.set_defaults(run=_photos)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_runs(commands)
    _add_uses(commands)
    return parser


def main() -> int:
    arguments = _parser().parse_args()
    try:
        arguments.run(arguments)
    except (RecipeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
