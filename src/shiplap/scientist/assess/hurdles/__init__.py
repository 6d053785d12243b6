"""What may stand in the way although a model would earn: labels, prevalence, delay, the action itself, groups, time."""

from shiplap.scientist.assess.hurdles.hurdles import hurdles

__all__ = ["hurdles"]
