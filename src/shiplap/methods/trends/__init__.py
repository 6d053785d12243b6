"""Metrics over time: seasons, trends and changes of level, with intervals that hold where neighbors are alike."""

from shiplap.methods.trends.changes import Change, changes
from shiplap.methods.trends.course import Course, Season, Trend, course_of

__all__ = ["Change", "Course", "Season", "Trend", "changes", "course_of"]
