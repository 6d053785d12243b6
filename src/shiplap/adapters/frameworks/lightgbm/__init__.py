"""LightGBM: its text form read into arrays, its nodes and objectives emitted by its own rules."""

from shiplap.adapters.frameworks.lightgbm.booster import Ensemble, LinearLeaf, Tree, read_booster

__all__ = ["Ensemble", "LinearLeaf", "Tree", "read_booster"]
