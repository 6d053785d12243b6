"""Imports fastai once, silently: it uses a part of PyTorch that is deprecated.

Its vision half needs torchvision, whose wheel is built for graphics cards: the compiled operators do not load beside
the processor's build of PyTorch. What torchvision's Python code declares of two of them needs their names; no learner
here calls them.
"""

import warnings

import torch

for _name in ("nms", "qnms"):
    torch.library.define(f"torchvision::{_name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import fastai.vision.all  # noqa: F401
