"""Bulk detection on a cluster of two Ray nodes on this machine, of which one is killed in the middle.

scale.py MODEL COUNT: every picture is in the result, none twice, with the bits of one process.
"""

import io
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import bulk
import numpy as np
import pyarrow.parquet as pq
import ray
from PIL import Image
from ray.cluster_utils import Cluster

SIZE = 160
OPTIONS = {"confidence": 0.002}
STORE = 150 << 20  # bytes of a node's objects


def draw(folder, count):
    """Pictures of rectangles, each another one; one in a thousand breaks off."""
    folder.mkdir()
    for i in range(count):
        random = np.random.default_rng(i)
        pixels = np.full((120, 160, 3), random.integers(0, 255, 3), np.uint8)
        for _ in range(12):
            y, x = random.integers(0, 120), random.integers(0, 160)
            pixels[y : y + random.integers(4, 60), x : x + random.integers(1, 30)] = random.integers(0, 255, 3)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=85)
        whole = file.getvalue()
        (folder / f"{i:06}.jpg").write_bytes(whole[: len(whole) // 2] if i % 1000 == 999 else whole)


def alone(model, folder):
    """Rows by path, of one detector in this process; pictures a second."""
    worker = bulk.Boxes(model.read_bytes(), SIZE, OPTIONS)
    paths = sorted(folder.iterdir())
    started = time.perf_counter()
    files = {"path": [str(path) for path in paths], "bytes": [path.read_bytes() for path in paths]}
    rows = worker(bulk.pa.table(files)).to_pylist()
    return {row["path"]: row for row in rows}, len(paths) / (time.perf_counter() - started)


def written(output):
    """Rows that are in the result."""
    return [row for file in sorted(output.glob("*.parquet")) for row in pq.read_table(file).to_pylist()]


def clustered(model, folder, output, nodes, kill):
    """Runs on `nodes` nodes with a core each, the last of which is killed once a third is written."""
    node = {"num_cpus": 1, "object_store_memory": STORE}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    others = [cluster.add_node(**node) for _ in range(nodes - 1)]
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False
    done, killed = threading.Event(), []
    count = len(list(folder.iterdir()))

    def watch():
        while not done.wait(0.1):
            if sum(pq.read_metadata(file).num_rows for file in complete(output)) > count / 3:
                cluster.remove_node(others[-1], allow_graceful=False)
                killed.append(True)
                return

    watcher = threading.Thread(target=watch)
    if kill:
        watcher.start()
    started = time.perf_counter()
    try:
        bulk.detect(model, str(folder), str(output), size=SIZE, **OPTIONS)
        spent = time.perf_counter() - started
    finally:
        done.set()
        if kill:
            watcher.join()
        ray.shutdown()
        cluster.shutdown()
    assert not kill or killed, "it was done before a node could be killed"
    return count / spent


def complete(output):
    """Files of the result that can be read already."""
    for file in output.glob("*.parquet"):
        try:
            pq.read_metadata(file)
        except (OSError, ValueError):
            continue
        yield file


def check(rows, known):
    """Each once, with the bits of one process."""
    paths = [row["path"] for row in rows]
    assert len(paths) == len(set(paths)), "a picture is there twice"
    assert set(paths) == set(known), f"{len(known) - len(paths)} pictures are missing"
    different = [row["path"] for row in rows if row != known[row["path"]]]
    assert not different, f"other boxes in {different[:5]}"


def main():
    model, count = Path(sys.argv[1]), int(sys.argv[2])
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)  # of the workers
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "pictures")
        draw(folder, count)
        known, speed = alone(model, folder)
        boxes = sum(len(row["boxes"]) for row in known.values())
        refused = sum(row["error"] is not None for row in known.values())
        print(f"{count} pictures, {boxes} boxes, {refused} refused; one process {speed:.0f} pictures/s", flush=True)
        assert boxes > count / 10 and refused == count // 1000
        for nodes, kill in ((1, False), (2, False), (2, True)):
            output = Path(name, f"boxes-{nodes}-{kill}")
            speed = clustered(model, folder, output, nodes, kill)
            check(written(output), known)
            what = ", one killed" if kill else ""
            print(f"{nodes} nodes{what}: complete, none twice, the same bits; {speed:.0f} pictures/s", flush=True)


if __name__ == "__main__":
    main()
