"""gRPC beside HTTP: the Open Inference Protocol v2, TensorFlow Serving and health checks; `server` puts it together."""
