"""Training: phases one after the other, each with its rate, sparsity and numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from . import metrics, state
from .augment import relight, to_tensors, turn
from .graph import Shape, Yolo
from .journal import Journal
from .loss import yolo_loss
from .quant import prepare
from .recipe import Phase, Recipe
from .sparse import Masks, target_at
from .workers import device, equalise, share_gradients

WARM_UP = 100  # steps
PRUNE_EVERY = 20  # steps
PRUNED_AT = 0.5  # of a phase: the rest heals
CALIBRATION = 16  # batches
CLIP = 10.0  # longest gradient
LONGEST_STEP = 6.0  # seconds: what is longer was a pause


class Source(Protocol):
    """Where batches come from. `turns`: whether a picture turned by 90 degrees is as good."""

    turns: bool

    def batch(self, n: int, mosaic: float = 0.0) -> tuple[np.ndarray, list[np.ndarray]]: ...
    def close(self) -> None: ...


Loss = Callable[
    [Yolo, Tensor, Tensor], tuple[Tensor, Tensor]
]  # model, pictures, targets → loss, its three parts


@dataclass
class Job:
    """Everything a worker needs besides its rank."""

    recipe: Recipe
    folder: Path
    classes: list[str]
    start: Path | None = None  # a checkpoint whose weights to begin with
    resume: bool = False  # go on with the folder's last checkpoint


def supervised(recipe: Recipe) -> Loss:
    def loss(model: Yolo, x: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        return yolo_loss(model(x), targets, model.anchors, recipe.gains)

    return loss


class Clock:
    """How much of a phase is over, 0…1: counted in steps, or in minutes at work. A machine that slept did not work."""

    def __init__(self, phase: Phase, before: float):
        self.phase, self.minutes, self.last = phase, before * phase.minutes, time.monotonic()

    def progress(self, step: int) -> float:
        if self.phase.steps:
            return min(1.0, step / self.phase.steps)
        now = time.monotonic()
        self.minutes += min(now - self.last, LONGEST_STEP) / 60
        self.last = now
        return min(1.0, self.minutes / self.phase.minutes)


class Trainer:
    """One worker's view of a run. The first worker also judges, writes and saves."""

    def __init__(self, job: Job, rank: int, source: Source, held_out: tuple, loss: Loss):
        self.job, self.recipe, self.rank = job, job.recipe, rank
        self.source, self.held_out, self.loss = source, held_out, loss
        torch.manual_seed(self.recipe.seed)
        self.phase, self.step, self.pictures, self.before = 0, 0, 0, 0.0
        self.model = self._begin()
        self.rng = np.random.default_rng((self.recipe.seed, rank, self.pictures))
        self.generator = torch.Generator().manual_seed(
            self.recipe.seed + 1000 * rank + self.pictures
        )
        self.journal = Journal(job.folder, not job.resume) if rank == 0 else None
        self.share = self.recipe.batch // self.recipe.workers
        self.began = time.monotonic()

    # ---- beginnings ----

    def _begin(self) -> Yolo:
        n = self.recipe.network
        last = self.job.folder / "last.pt"
        kept = None
        if self.job.resume and last.exists():
            kept = state.load(last)
            self.phase, self.step, self.pictures, self.before = (
                kept[k] for k in ("phase", "step", "pictures", "progress")
            )
            self.optimiser_state = kept["optimiser"]
            model = state.rebuild(kept["shape"], kept["quantised"], kept["model"])
            average = state.rebuild(kept["shape"], kept["quantised"], kept["average"])
            self.average = state.Average(average.to(device()).eval(), self.recipe.average)
            self.average.updates = kept["updates"]
            return model.to(device())
        self.optimiser_state = None
        if self.job.start:
            model = state.load_float(self.job.start)
            model.shape.size = n.size
            self._check_classes(model)
        else:
            shape = Shape(self.job.classes, n.width, n.depth, n.size, n.divisor, n.anchors)
            model = Yolo(shape).to(memory_format=torch.channels_last)
        model = model.to(device())
        self.average = state.Average(state.twin(model), self.recipe.average)
        return model

    def _check_classes(self, model: Yolo) -> None:
        """New classes get new heads; everything else stays."""
        if model.shape.classes == self.job.classes:
            return
        fresh = Yolo(Shape(**{**model.shape.as_dict(), "classes": self.job.classes}))
        model.heads, model.shape = fresh.heads, fresh.shape

    def _optimiser(self, phase: Phase) -> torch.optim.Optimizer:
        weights = [p for p in self.model.parameters() if p.ndim > 1]
        others = [p for p in self.model.parameters() if p.ndim < 2]
        groups = [
            {"params": weights, "weight_decay": self.recipe.decay},
            {"params": others, "weight_decay": 0.0},
        ]
        optimiser = torch.optim.AdamW(groups, lr=phase.rate[0], betas=(0.9, 0.98))
        if self.optimiser_state:
            optimiser.load_state_dict(self.optimiser_state)
            self.optimiser_state = None
        return optimiser

    # ---- phases ----

    def run(self) -> None:
        while self.phase < len(self.recipe.phases):
            phase = self.recipe.phases[self.phase]
            if phase.quantise and not hasattr(self.model, "ranges"):
                self._quantise()
            equalise(self.model)
            self._run_phase(phase)
            if self.rank == 0:
                self._judge(phase)
                self._save(None, 0.0, self.job.folder / f"{phase.name}.pt")
            self.phase, self.step, self.before = self.phase + 1, 0, 0.0
            self.model = state.twin(self.average.model).train()  # the average is the better start
            self.average.updates = 0
        if self.journal:
            self.journal.end()
            self._save(None, 0.0, self.job.folder / "last.pt")
        self.source.close()

    def _quantise(self) -> None:
        self.model = state.twin(self.model)
        masks = Masks(self.model)
        quantiser = prepare(self.model)
        quantiser.calibrate(
            [self._pictures(self.recipe.phases[self.phase])[0] for _ in range(CALIBRATION)]
        )
        masks.apply()
        equalise(self.model)
        self.average = state.Average(state.twin(self.model), self.recipe.average)

    def _run_phase(self, phase: Phase) -> None:
        self.recipe.gains.background = phase.background
        optimiser = self._optimiser(phase)
        masks = Masks(self.model)
        dense = masks.share()
        clock = Clock(phase, self.before)
        judged, progress = time.monotonic(), self.before
        total, lines = torch.zeros(3), 0
        if self.journal:
            self.journal.phase(
                phase.name, phase.steps or phase.minutes, "steps" if phase.steps else "min"
            )
        while progress < 1:
            rate = self._rate(phase, progress)
            for group in optimiser.param_groups:
                group["lr"] = rate
            self.step += 1
            self.pictures += self.share * self.recipe.workers
            parts, progress = self._one_step(phase, optimiser, masks, clock.progress(self.step))
            total, lines = total + parts.cpu(), lines + 1
            if self._prunes(phase, progress) and masks.prune(
                target_at(progress / PRUNED_AT, phase.sparsity, dense)
            ):
                self.average.restart(self.model)
            self.average.update(self.model)
            if not self.journal:
                continue
            if lines == 50 or progress >= 1:
                self._report(phase, progress, rate, total / lines, masks.share())
                total, lines = torch.zeros(3), 0
            if time.monotonic() - judged > self.recipe.evaluate_every * 60:
                self._judge(phase)
                self._save(optimiser, progress, self.job.folder / "last.pt")
                judged = time.monotonic()

    def _one_step(
        self, phase: Phase, optimiser: torch.optim.Optimizer, masks: Masks, progress: float
    ) -> tuple[Tensor, float]:
        x, targets = self._pictures(phase)
        self.model.train()
        with torch.autocast(
            x.device.type, torch.bfloat16, enabled=self.recipe.bf16 and not phase.quantise
        ):
            loss, parts = self.loss(self.model, x, targets)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        progress = share_gradients(self.model, progress)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        optimiser.step()
        masks.apply()
        return parts, progress

    def _prunes(self, phase: Phase, progress: float) -> bool:
        return phase.sparsity > 0 and (self.step % PRUNE_EVERY == 0 or progress >= 1)

    def _rate(self, phase: Phase, progress: float) -> float:
        first, last = phase.rate
        return (last + (first - last) * (1 + math.cos(math.pi * progress)) / 2) * min(
            1.0, (self.step + 1) / WARM_UP
        )

    def _pictures(self, phase: Phase) -> tuple[Tensor, Tensor]:
        images, boxes = self.source.batch(self.share, phase.mosaic)
        turn(images, boxes, self.rng, self.source.turns)
        x, targets = to_tensors(images, boxes)
        x = relight(x, self.generator)
        size, own = phase.size, x.shape[-1]
        if size and size != own:
            x = torch.nn.functional.interpolate(x, size=(size, size), mode="area").contiguous(
                memory_format=torch.channels_last
            )
            targets[:, 2:] *= size / own
        return (x * 255).round_().div_(255).to(device()), targets.to(device())

    # ---- what the first worker does besides ----

    def _report(
        self, phase: Phase, progress: float, rate: float, parts: Tensor, sparsity: float
    ) -> None:
        box, objectness, classes = (round(float(p), 4) for p in parts)
        texts = {
            "box": box,
            "obj": objectness,
            "cls": classes,
            "sparse": f"{sparsity:.2f}",
            "pictures": self.pictures,
        }
        self.journal.step(progress * (phase.steps or phase.minutes), texts)
        self.journal.write(
            {
                "minutes": self._minutes(),
                "phase": phase.name,
                "step": self.step,
                "pictures": self.pictures,
                "rate": f"{rate:.2e}",
                "box": box,
                "objectness": objectness,
                "classes": classes,
                "sparsity": round(sparsity, 4),
            }
        )

    def _minutes(self) -> float:
        """Since this process began; a run that goes on counts anew."""
        return round((time.monotonic() - self.began) / 60, 2)

    def _judge(self, phase: Phase) -> None:
        ap = metrics.evaluate(self.average.model, *self.held_out)
        self.journal.write(
            {
                "minutes": self._minutes(),
                "phase": phase.name,
                "step": self.step,
                "pictures": self.pictures,
                "ap": round(100 * float(np.nanmean(ap)), 2),
                "ap50": round(100 * float(np.nanmean(ap[:, 0])), 2),
            }
        )

    def _save(self, optimiser: torch.optim.Optimizer | None, progress: float, path: Path) -> None:
        done = optimiser is None
        state.save(
            path,
            self.model,
            self.average,
            optimiser,
            phase=self.phase + done,
            step=0 if done else self.step,
            pictures=self.pictures,
            progress=progress,
        )
