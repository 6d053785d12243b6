"""Neural networks: what every framework that exports ONNX has in common."""

from shiplap.adapters.frameworks.neural.framework import Code, Network, Neural
from shiplap.adapters.frameworks.neural.missing import reads_nan_alike, with_nan
from shiplap.adapters.frameworks.neural.runs import require_runnable
from shiplap.adapters.frameworks.neural.wrap import Wire, wrap

__all__ = ["Code", "Network", "Neural", "Wire", "reads_nan_alike", "require_runnable", "with_nan", "wrap"]
