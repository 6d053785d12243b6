"""The protocols that are spoken, one file each."""

from shiplap.engineer.deploy.serve.protocols.azure import Azure
from shiplap.engineer.deploy.serve.protocols.base import Protocol
from shiplap.engineer.deploy.serve.protocols.health import Health
from shiplap.engineer.deploy.serve.protocols.inference_v2 import InferenceV2
from shiplap.engineer.deploy.serve.protocols.invocations import Invocations
from shiplap.engineer.deploy.serve.protocols.predict import Predict
from shiplap.engineer.deploy.serve.protocols.tensorflow_serving import TensorFlowServing
from shiplap.engineer.deploy.serve.protocols.torchserve import TorchServe
from shiplap.engineer.deploy.serve.protocols.vertex import Vertex

__all__ = [
    "Azure",
    "Health",
    "InferenceV2",
    "Invocations",
    "Predict",
    "Protocol",
    "TensorFlowServing",
    "TorchServe",
    "Vertex",
]
