"""Boxes of pictures by the million, on Ray Data: a folder or Parquet files in, Parquet files out.

    pip install wisp-yolo "ray[data]"
    python bulk.py best.wisp pictures/ boxes/
    python bulk.py best.wisp pictures.parquet boxes/ --address auto --workers 64

Parquet that comes in has the columns `path` and `bytes`. A row that goes out has `path`, `width`, `height`, `boxes`,
and `error`: the sentence where a picture can't be used, which ends nothing. What a
lost node was working on is done again, and each picture is in the result once.
"""

import argparse
from pathlib import Path
from typing import Any, Dict, Optional, Tuple, Union

import pyarrow as pa
import ray

from wisp_yolo import Detector, WispError

ASIDE = 0.1  # of a core: reading and writing wait for disks, beside the detector that keeps a core busy
BOX = [("x", pa.float32()), ("y", pa.float32()), ("width", pa.float32()), ("height", pa.float32())]
BOX += [("score", pa.float32()), ("label", pa.int32()), ("name", pa.string())]
ROW = pa.schema(
    [
        ("path", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("boxes", pa.list_(pa.struct(BOX))),
        ("error", pa.string()),
    ]
)


class Boxes:
    """A worker of Ray's with a detector of its own."""

    def __init__(self, model: bytes, size: Union[int, Tuple[int, int], None], options: Dict[str, Any]) -> None:
        self._detector = Detector.open(model, size=size)
        self._options = options

    def __call__(self, pictures: pa.Table) -> pa.Table:
        rows = zip(pictures["path"].to_pylist(), pictures["bytes"].to_pylist())
        return pa.Table.from_pylist([self._row(path, file) for path, file in rows], schema=ROW)

    def _row(self, path: str, file: bytes) -> Dict[str, Any]:
        try:
            result = self._detector.detect(file, **self._options)
        except WispError as error:
            if error.code == "WISP_ERR_CRASH":
                raise  # Ray starts another worker
            return {"path": path, "boxes": [], "error": str(error)}
        boxes = [vars(box) for box in result.boxes]
        return {"path": path, "width": result.width, "height": result.height, "boxes": boxes}


def detect(
    model: Path,
    pictures: str,
    output: str,
    *,
    workers: Optional[int] = None,
    size: Union[int, Tuple[int, int], None] = None,
    batch: int = 32,
    **options: Any,
) -> None:
    """
    :param pictures: a folder, or Parquet files; here or wherever Ray Data can read
    :param output: a folder
    :param workers: at most, each on a core of its own; else as many as the cluster has cores
    :param batch: pictures that a worker takes at once
    :param options: of Detector.detect
    """
    Detector.open(model, size=size, warm_up=False).close()  # what is wrong with it is said once
    most = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    is_parquet = pictures.endswith(".parquet")
    read = ray.data.read_parquet if is_parquet else ray.data.read_binary_files
    how: Dict[str, Any] = {"columns": ["path", "bytes"]} if is_parquet else {"include_paths": True}
    read(pictures, num_cpus=ASIDE, **how).map_batches(
        Boxes,
        fn_constructor_args=(model.read_bytes(), size, options),
        batch_format="pyarrow",
        batch_size=batch,
        num_cpus=0.8,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=most),
    ).write_parquet(output, ray_remote_args={"num_cpus": ASIDE})


def main() -> None:
    parser = argparse.ArgumentParser(description="Boxes of many pictures, on Ray Data.")
    parser.add_argument("model", type=Path, help="a .wisp file")
    parser.add_argument("pictures", help="a folder, or Parquet files with the columns path and bytes")
    parser.add_argument("output", help="a folder for Parquet files")
    parser.add_argument("--address", help='of a cluster, or "auto"; without it, this machine alone')
    parser.add_argument("--workers", type=int, help="at most (as many as there are cores)")
    parser.add_argument("--size", type=int, help="side of the network's input (the model's own)")
    parser.add_argument("--confidence", type=float, default=0.25, help="boxes score above it (0.25)")
    parser.add_argument("--iou", type=float, default=0.45, help="boxes of a class overlap by at most this (0.45)")
    given = parser.parse_args()
    ray.init(address=given.address)
    thresholds = {"confidence": given.confidence, "iou": given.iou}
    try:
        detect(given.model, given.pictures, given.output, workers=given.workers, size=given.size, **thresholds)
    except WispError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
