"""`Families`: a snapshot as prometheus_client renders it. The one place where that library is touched."""

from __future__ import annotations

import math
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from shiplap.engineer.deploy.serve.seen.catalog import METRICS, Metric
from shiplap.engineer.deploy.serve.seen.snapshot import Snapshot
from shiplap.engineer.deploy.serve.seen.tally import Spread

__all__ = ["Families"]


class Families(Collector):
    """A collector of prometheus_client.

    Parameters
    ----------
    snapshot : Snapshot
        What was counted.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Family]:
        """Return the metrics that have a value, in the order of the catalog."""
        for metric in METRICS:
            family = self._family(metric)
            if family.samples:
                yield family

    def _family(self, metric: Metric) -> Family:
        if metric.kind == "histogram":
            histogram = HistogramMetricFamily(metric.name, metric.means, labels=metric.labels)
            for key, spread in sorted(self._snapshot.spreads.items()):
                if key[0] == metric.name:
                    histogram.add_metric(key[1:], _buckets(spread), spread.total)
            return histogram
        found = self._snapshot.counters if metric.kind == "counter" else self._snapshot.gauges
        values = [(key[1:], value) for key, value in sorted(found.items()) if key[0] == metric.name]
        if metric.kind == "info":
            info = InfoMetricFamily(metric.name.removesuffix("_info"), metric.means)
            for labels, _ in values:
                info.add_metric([], dict(zip(metric.labels, labels, strict=True)))
            return info
        made = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
        family = made(metric.name, metric.means, labels=metric.labels)
        for labels, value in values:
            family.add_metric(labels, value)
        return family


def _buckets(spread: Spread) -> list[tuple[str, float]]:
    """Return how many numbers lie at or below each bound."""
    buckets, so_far = [], 0
    for bound, count in zip((*spread.bounds, math.inf), spread.counts, strict=True):
        so_far += count
        buckets.append(("+Inf" if bound == math.inf else str(bound), float(so_far)))
    return buckets
