"""CatBoost: its JSON export read into trees; float32 borders, categories and target statistics by its own rules."""

from shiplap.adapters.frameworks.catboost.booster import Ensemble, Node, read_model

__all__ = ["Ensemble", "Node", "read_model"]
