"""What is served: ships, the rows they are asked for, and which ship answers whom. Knows nothing of sockets."""
