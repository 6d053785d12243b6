"""Frameworks: what lowers a trained model to encoder and graph, and asks the original for its own answers."""

from shiplap.adapters.frameworks.files import model_file, read_model, require_trust
from shiplap.adapters.frameworks.modelfile import dump_model, load_model
from shiplap.adapters.frameworks.protocol import Ask, Framework, Lowered, Probe, framework_of
from shiplap.adapters.frameworks.registry import class_path, frameworks, predictors, transformers

__all__ = [
    "Ask",
    "Framework",
    "Lowered",
    "Probe",
    "class_path",
    "dump_model",
    "framework_of",
    "frameworks",
    "load_model",
    "model_file",
    "predictors",
    "read_model",
    "require_trust",
    "transformers",
]
