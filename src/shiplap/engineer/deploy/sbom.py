"""The bill of materials of a ship: which libraries had a hand in it, as CycloneDX.

The format is specified at https://cyclonedx.org/docs/1.6/json/.
"""

from __future__ import annotations

import importlib.metadata

import msgspec

__all__ = ["bill_of_materials"]

_HANDS = ("shiplap", "lightgbm", "numpy", "onnx", "onnxruntime", "pandas", "scikit-learn", "scipy")


def bill_of_materials(name: str) -> bytes:
    """List the libraries a ship was made with.

    Parameters
    ----------
    name : str
        The ship's name.

    Returns
    -------
    bytes
        CycloneDX 1.6 as JSON.

    Examples
    --------
    >>> msgspec.json.decode(bill_of_materials("churn"))["bomFormat"]
    'CycloneDX'
    """
    components = []
    for library in _HANDS:
        try:
            version = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
        purl = f"pkg:pypi/{library}@{version}"
        components.append({"type": "library", "name": library, "version": version, "purl": purl, "bom-ref": purl})
    return msgspec.json.encode(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {"component": {"type": "machine-learning-model", "name": name}},
            "components": components,
        }
    )
