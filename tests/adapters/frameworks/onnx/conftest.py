"""What makes the files needs skl2onnx and is no test."""

collect_ignore = ["golden"]
