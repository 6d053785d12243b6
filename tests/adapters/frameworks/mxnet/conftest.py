"""What makes the golden answers needs MXNet itself and is no test."""

collect_ignore = ["golden"]
