"""The protocols that are spoken, one file each."""

from shiplap.engineer.deploy.serve.protocols.base import Protocol
from shiplap.engineer.deploy.serve.protocols.inference_v2 import InferenceV2
from shiplap.engineer.deploy.serve.protocols.invocations import Invocations
from shiplap.engineer.deploy.serve.protocols.predict import Predict

__all__ = ["InferenceV2", "Invocations", "Predict", "Protocol"]
