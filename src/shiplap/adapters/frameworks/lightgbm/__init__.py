"""LightGBM: its text form read into arrays, its nodes and objectives emitted by its own rules."""

from shiplap.adapters.frameworks.lightgbm.booster import Ensemble, Tree, read_booster

__all__ = ["Ensemble", "Tree", "read_booster"]
