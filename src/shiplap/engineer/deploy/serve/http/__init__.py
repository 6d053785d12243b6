"""HTTP/1.1: sockets, connections, requests and their answers. Knows nothing of models."""
