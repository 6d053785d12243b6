"""Small networks of each kind that people ship."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def seeded(build: Any) -> nn.Module:
    """Make a network whose weights do not depend on what ran before, and whose norms have seen rows."""
    torch.manual_seed(0)
    net: nn.Module = build()
    for part in net.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2.0)
    return net


def perceptron() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 3))


def convolutions() -> nn.Module:
    body = [nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.SiLU(), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(2)]
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(16, 3), nn.Softmax(dim=1))


class Recurrent(nn.Module):
    """An LSTM or a GRU that reads rows of shape (length, features)."""

    def __init__(self, kind: type[nn.RNNBase], *, batch_first: bool = True) -> None:
        super().__init__()
        self.cells = kind(3, 4, num_layers=2, bidirectional=True, batch_first=batch_first)
        self.head = nn.Linear(8, 2)
        self.batch_first = batch_first

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        states, _ = self.cells(steps if self.batch_first else steps.transpose(0, 1))
        return self.head(states[:, -1] if self.batch_first else states[-1])


class Attention(nn.Module):
    """A transformer encoder over token ids, 0 of which is padding."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 8, padding_idx=0)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, 3)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        padding = ids == 0
        states = self.encoder(self.embed(ids), src_key_padding_mask=padding)
        kept = (~padding)[..., None]
        return self.head((states * kept).sum(1) / kept.sum(1).clamp(min=1))


class Tabular(nn.Module):
    """Bags of categories beside numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag(20, 4, mode="mean")
        self.shop = nn.Embedding(5, 3)
        self.head = nn.Sequential(nn.Linear(9, 8), nn.GELU(approximate="tanh"), nn.Linear(8, 1))

    def forward(self, items: torch.Tensor, shop: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        return self.head(torch.cat([self.bag(items), self.shop(shop), numbers], dim=1)).squeeze(1)


class Several(nn.Module):
    """Outputs of several shapes, in a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(4, 6)

    def forward(self, x: torch.Tensor, weight: torch.Tensor | None = None) -> dict[str, Any]:
        hidden = torch.tanh(self.body(x))
        return {"grid": hidden.reshape(-1, 2, 3), "more": (hidden.sum(1), hidden > 0)}


class Upscaled(nn.Module):
    """Images made larger in the ways that runtimes tell apart."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        ways = [
            {"mode": "bilinear", "align_corners": True},
            {"mode": "bilinear"},
            {"mode": "bicubic"},
            {"mode": "nearest"},
        ]
        return torch.cat([nn.functional.interpolate(image, size=(5, 7), **way).flatten(1) for way in ways], dim=1)


class Branching(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2 if x.sum() > 0 else x


class Noisy(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(x, 0.5, training=True)


class Unnamed(nn.Module):
    def forward(self, *x: torch.Tensor) -> torch.Tensor:
        return x[0]


class Whole(nn.Module):
    """An output that is no row."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x, x.mean()


class Middle(nn.Module):
    """An operator that ONNX does not have."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.median(1)[0]
