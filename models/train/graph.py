"""The YOLOv5 v6 graph: 6x6 stem, C3, SPPF, PAN and anchor heads, at any width and depth."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor, nn

STRIDES = (8, 16, 32)
Anchors = list[list[tuple[float, float]]]


@dataclass
class Shape:
    """What makes one network of the family differ from another."""

    classes: list[str]
    width: float = 0.25
    depth: float = 0.33
    size: int = 320  # side of the square input in pixels
    divisor: int = 8  # channels are multiples of it
    anchors: Anchors = field(default_factory=list)  # [stride][anchor] = (width, height) in pixels

    def as_dict(self) -> dict:
        return asdict(self)


class Conv(nn.Module):
    """Convolution, batch norm, SiLU. `fold` melts the norm into the convolution."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, pad: int | None = None
    ):
        super().__init__()
        padding = kernel // 2 if pad is None else pad
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03)
        self.act = nn.SiLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x)))

    @torch.no_grad()
    def fold(self) -> None:
        norm = self.norm
        if not isinstance(norm, nn.BatchNorm2d):
            return
        gain = norm.weight / (norm.running_var + norm.eps).sqrt()
        self.conv.weight.mul_(gain[:, None, None, None])
        self.conv.bias = nn.Parameter(norm.bias - norm.running_mean * gain)
        self.norm = nn.Identity()


class Bottleneck(nn.Module):
    def __init__(self, channels: int, shortcut: bool):
        super().__init__()
        self.cv1 = Conv(channels, channels, 1)
        self.cv2 = Conv(channels, channels, 3)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class C3(nn.Module):
    def __init__(self, inputs: int, outputs: int, repeats: int, shortcut: bool = True):
        super().__init__()
        hidden = outputs // 2
        self.cv1 = Conv(inputs, hidden)
        self.cv2 = Conv(inputs, hidden)
        self.cv3 = Conv(2 * hidden, outputs)
        self.m = nn.Sequential(*(Bottleneck(hidden, shortcut) for _ in range(repeats)))

    def forward(self, x: Tensor) -> Tensor:
        return self.cv3(torch.cat((self.m(self.cv1(x)), self.cv2(x)), 1))


class SPPF(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int = 5):
        super().__init__()
        self.cv1 = Conv(inputs, inputs // 2)
        self.cv2 = Conv(inputs // 2 * 4, outputs)
        self.pool = nn.MaxPool2d(kernel, 1, kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.cv1(x)
        y = self.pool(x)
        z = self.pool(y)
        return self.cv2(torch.cat((x, y, z, self.pool(z)), 1))


class Yolo(nn.Module):
    """Picture [n, 3, h, w] in 0…1 → logits of three heads [n, anchors, h/s, w/s, 5 + classes]."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape

        def c(channels: int) -> int:
            return math.ceil(channels * shape.width / shape.divisor) * shape.divisor

        def d(repeats: int) -> int:
            return max(round(repeats * shape.depth), 1)

        self.stem = Conv(3, c(64), 6, 2, 2)
        self.down1, self.c1 = Conv(c(64), c(128), 3, 2), C3(c(128), c(128), d(3))
        self.down2, self.c2 = Conv(c(128), c(256), 3, 2), C3(c(256), c(256), d(6))
        self.down3, self.c3 = Conv(c(256), c(512), 3, 2), C3(c(512), c(512), d(9))
        self.down4, self.c4 = Conv(c(512), c(1024), 3, 2), C3(c(1024), c(1024), d(3))
        self.sppf = SPPF(c(1024), c(1024))
        self.up4 = Conv(c(1024), c(512))
        self.p4 = C3(2 * c(512), c(512), d(3), False)
        self.up3 = Conv(c(512), c(256))
        self.p3 = C3(2 * c(256), c(256), d(3), False)
        self.pan3 = Conv(c(256), c(256), 3, 2)
        self.n4 = C3(2 * c(256), c(512), d(3), False)
        self.pan4 = Conv(c(512), c(512), 3, 2)
        self.n5 = C3(2 * c(512), c(1024), d(3), False)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")
        anchors = torch.tensor(shape.anchors, dtype=torch.float32)
        self.register_buffer("anchors", anchors)  # [3, anchors, 2] in pixels
        channels = anchors.shape[1] * (5 + len(shape.classes))
        self.heads = nn.ModuleList(nn.Conv2d(c(k), channels, 1) for k in (256, 512, 1024))
        self.reset_heads()

    @torch.no_grad()
    def reset_heads(self) -> None:
        """Starts objectness and classes where a picture with a few objects has them."""
        classes, anchors = len(self.shape.classes), self.anchors.shape[1]
        for head, stride in zip(self.heads, STRIDES):
            bias = head.bias.view(anchors, -1)
            bias[:, 4] = math.log(4 / (self.shape.size / stride) ** 2)
            bias[:, 5:] = math.log(0.6 / (classes - 0.9)) if classes > 1 else 2.0

    def features(self, x: Tensor) -> list[Tensor]:
        x = self.c1(self.down1(self.stem(x)))
        b3 = self.c2(self.down2(x))
        b4 = self.c3(self.down3(b3))
        b5 = self.sppf(self.c4(self.down4(b4)))
        t5 = self.up4(b5)
        t4 = self.up3(self.p4(torch.cat((self.upsample(t5), b4), 1)))
        n3 = self.p3(torch.cat((self.upsample(t4), b3), 1))
        n4 = self.n4(torch.cat((self.pan3(n3), t4), 1))
        n5 = self.n5(torch.cat((self.pan4(n4), t5), 1))
        return [n3, n4, n5]

    def forward(self, x: Tensor) -> list[Tensor]:
        anchors = self.anchors.shape[1]
        out = []
        for head, feature in zip(self.heads, self.features(x)):
            n, _, h, w = feature.shape
            y = head(feature).view(n, anchors, -1, h, w)
            out.append(y.permute(0, 1, 3, 4, 2))
        return out

    def fold(self) -> None:
        for module in self.modules():
            if isinstance(module, Conv):
                module.fold()


def decode(logits: list[Tensor], anchors: Tensor) -> Tensor:
    """Logits of the heads → [n, boxes, 5 + classes] with x, y, w, h in pixels and probabilities."""
    out = []
    for y, stride, wh in zip(logits, STRIDES, anchors):
        n, _, h, w, _ = y.shape
        p = y.float().sigmoid()
        rows, columns = torch.meshgrid(
            torch.arange(h, device=p.device), torch.arange(w, device=p.device), indexing="ij"
        )
        cell = torch.stack((columns, rows), -1).to(p)
        xy = (p[..., :2] * 2 - 0.5 + cell) * stride
        size = (p[..., 2:4] * 2) ** 2 * wh[None, :, None, None]
        out.append(torch.cat((xy, size, p[..., 4:]), -1).reshape(n, -1, p.shape[-1]))
    return torch.cat(out, 1)
