"""scikit-learn: one emitter a type, `date_parts` for pipelines, and persistence without pickle."""

from shiplap.adapters.frameworks.sklearn.dates import date_parts

__all__ = ["date_parts"]
