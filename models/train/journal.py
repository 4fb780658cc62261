"""What a run tells: a line a step on the terminal, a table and a curve on disk."""

from __future__ import annotations

import csv
from pathlib import Path

import matplotlib
from tqdm import tqdm

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402 (the backend comes first)

COLUMNS = [
    "minutes",
    "phase",
    "step",
    "pictures",
    "rate",
    "box",
    "objectness",
    "classes",
    "sparsity",
    "ap",
    "ap50",
]


class Journal:
    def __init__(self, folder: Path, fresh: bool):
        folder.mkdir(parents=True, exist_ok=True)
        self.table, self.curve = folder / "curve.csv", folder / "curve.svg"
        if fresh or not self.table.exists():
            self.table.write_text(",".join(COLUMNS) + "\n")
        self.bar: tqdm | None = None

    def phase(self, name: str, total: float, unit: str) -> None:
        self.end()
        self.bar = tqdm(
            total=round(total, 1),
            desc=name,
            unit=unit,
            mininterval=5,
            bar_format="{desc} {percentage:3.0f}% |{bar:24}| {n:.1f}/{total:.1f} {unit} {postfix}",
        )

    def step(self, done: float, texts: dict) -> None:
        self.bar.n = done
        self.bar.set_postfix(texts, refresh=False)
        self.bar.update(0)

    def write(self, row: dict) -> None:
        """A row of the table, and the curve drawn anew."""
        with self.table.open("a", newline="") as file:
            csv.DictWriter(file, COLUMNS).writerow({k: row.get(k, "") for k in COLUMNS})
        if row.get("ap", "") != "":
            tqdm.write(
                f"{row['phase']}: step {row['step']}, AP {row['ap']:.2f}, AP50 {row['ap50']:.2f}"
            )
            self.draw()

    def draw(self) -> None:
        with self.table.open(newline="") as file:
            rows = list(csv.DictReader(file))
        figure, (top, bottom) = plt.subplots(
            2, 1, figsize=(8, 6), sharex=True, layout="constrained"
        )
        for axis, names in ((top, ("box", "objectness", "classes")), (bottom, ("ap", "ap50"))):
            for name in names:
                points = [(float(r["pictures"]), float(r[name])) for r in rows if r[name]]
                if points:
                    axis.plot(*zip(*points), label=name, marker="." if axis is bottom else None)
            for a, b in zip(rows, rows[1:]):
                if a["phase"] != b["phase"]:
                    axis.axvline(float(b["pictures"]), color="0.7", linewidth=0.8)
            if axis.lines:
                axis.legend(loc="best")
            axis.grid(alpha=0.3)
        top.set_yscale("log")
        top.set_ylabel("loss")
        bottom.set_ylabel("held-out AP")
        bottom.set_xlabel("pictures; grey lines: the next phase")
        figure.savefig(self.curve)
        plt.close(figure)

    def end(self) -> None:
        if self.bar:
            self.bar.close()
            self.bar = None
