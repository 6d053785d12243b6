"""MLflow model folders: read by their description, without MLflow."""

from shiplap.adapters.frameworks.mlflow.files import model_file

__all__ = ["model_file"]
