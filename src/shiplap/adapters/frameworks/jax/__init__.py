"""JAX: functions with parameters and Flax modules, written primitive by primitive."""
