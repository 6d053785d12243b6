"""XGBoost: its JSON form read into arrays; float32 thresholds, sums and objectives emitted by its own rules."""

from shiplap.adapters.frameworks.xgboost.booster import Ensemble, Tree, read_booster

__all__ = ["Ensemble", "Tree", "read_booster"]
