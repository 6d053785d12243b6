"""ONNX files as they are: whoever exported them."""
