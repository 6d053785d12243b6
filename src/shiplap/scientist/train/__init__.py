"""Train: from a question to a model that is calibrated, thresholded and judged on rows it never saw."""

from shiplap.scientist.train.train import train

__all__ = ["train"]
