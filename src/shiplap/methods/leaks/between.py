"""Leaks between rows: what a split lets test rows know of train rows."""

from __future__ import annotations

from dataclasses import dataclass

from shiplap.core.finding import Finding
from shiplap.methods.leaks.overlap import Overlap, group_overlap, time_overlap
from shiplap.methods.leaks.sample import sample_of
from shiplap.methods.leaks.twins import Twins, twin_finding, twins_of
from shiplap.methods.question import Problem
from shiplap.methods.splits import Split

__all__ = ["Between", "between_rows"]


@dataclass(frozen=True, eq=False)
class Between:
    """What rows on two sides of a split know of each other.

    Parameters
    ----------
    twins : Twins
        Which test rows have a copy among the train rows.
    overlaps : list of Overlap
        Times and entities that are on both sides.
    findings : list of Finding
        All of it in words: ``leak.duplicates``, ``leak.time_overlap``, ``leak.group_overlap``. Never ``fail``: whether
        a model will meet the same time or entity again only those know who ask.
    """

    twins: Twins
    overlaps: list[Overlap]
    findings: list[Finding]


def between_rows(problem: Problem, split: Split) -> Between:
    """Look for rows on two sides of a split that know each other: copies, rows of one time, rows of one entity.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from shiplap.methods.question import pose
    >>> from shiplap.methods.splits import honest_split
    >>> problem = pose(load_breast_cancer(as_frame=True).frame, question={"target": "target"})
    >>> between_rows(problem, honest_split(problem)).findings
    []
    """
    sample, twins = sample_of(problem), twins_of(problem, split)
    overlaps = [*time_overlap(sample), *group_overlap(sample)]
    return Between(twins, overlaps, [*twin_finding(problem, twins), *(one.finding for one in overlaps)])
