"""Who computes: the GPU, or several processes that share each step, one thread each: faster than one with as many."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn


def device() -> torch.device:
    """The GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _enter(rank: int, count: int, meeting: str, work: Callable, *args) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=count)
    try:
        work(rank, *args)
    finally:
        dist.destroy_process_group()


def together(count: int, work: Callable, *args) -> None:
    """Runs work(rank, *args) in `count` processes; in this one if there is only one."""
    if count == 1:
        work(0, *args)
        return
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(_enter, (count, str(Path(folder) / "meeting"), work, *args), nprocs=count)


def share_gradients(model: nn.Module, clock: float) -> float:
    """Gradients become the workers' mean, so that all take the same step. The same for `clock`, which is returned."""
    if not dist.is_initialized():
        return clock
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients] + [torch.tensor([clock])])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    start = 0
    for g in gradients:
        g.copy_(flat[start : start + g.numel()].view_as(g))
        start += g.numel()
    return float(flat[-1])


def equalise(model: nn.Module) -> None:
    """Every worker's model becomes the first one's."""
    if dist.is_initialized():
        for value in model.state_dict().values():
            dist.broadcast(value, 0)
