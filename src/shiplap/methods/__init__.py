"""What rooms share of statistics: questions, splits, metrics and money, intervals, leak tests, slices; pure functions."""
