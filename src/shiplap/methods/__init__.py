"""What rooms share: questions, splits, metrics, money, intervals, leaks, slices, sketches; pure functions."""
