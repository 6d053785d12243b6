"""What rooms share of statistics: questions, splits, metrics, money, intervals, leaks, slices; pure functions."""
