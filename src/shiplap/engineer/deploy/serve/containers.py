"""Where the platforms that run a container put the ships that it is to serve."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shiplap.core.errors import InputError

__all__ = ["ships_of"]

_SAGEMAKER = Path("/opt/ml/model")


def ships_of(environment: Mapping[str, str], *, sagemaker: Path = _SAGEMAKER) -> list[str]:
    """Return the ship files that a platform put into this container.

    Azure ML names their folder in ``AZUREML_MODEL_DIR``, Vertex AI in ``AIP_STORAGE_URI``, and SageMaker puts them into
    ``/opt/ml/model``.

    Parameters
    ----------
    environment : mapping of str to str
        Environment variables.
    sagemaker : Path
        The folder of SageMaker.

    Raises
    ------
    InputError
        A platform names a folder that holds no ship, or one that is not on this machine.

    References
    ----------
    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
    https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements
    https://learn.microsoft.com/azure/machine-learning/how-to-deploy-custom-container
    """
    named = {name: environment[name] for name in ("AZUREML_MODEL_DIR", "AIP_STORAGE_URI") if environment.get(name)}
    if not named and sagemaker.is_dir():
        named = {"SageMaker": str(sagemaker)}
    for name, place in named.items():
        if "://" in place:
            raise InputError(f"{name} is '{place}', which is not on this machine", hint="put the ship into the image")
        found = sorted(str(path) for path in Path(place).rglob("*.ship"))
        if not found:
            raise InputError(f"{name} names '{place}', and no ship file is there", hint="upload the .ship file itself")
        return found
    return []
