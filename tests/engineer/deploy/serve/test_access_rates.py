"""Rates: one client gets all of its own, and many processes together do not exceed it."""

import os
import struct
import time

import pytest

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.access import rates
from shiplap.engineer.deploy.serve.access.rates import Rates


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when it is told to; where the figures must be exact."""

    class Clock:
        now = 1_000_000.0

    monkeypatch.setattr(rates, "monotonic", lambda: Clock.now)
    return Clock


def test_a_burst_and_then_the_rate(clock):
    bucket = Rates().buckets({"a": (10.0, 5)})["a"]
    assert [bucket.take() == 0 for _ in range(7)] == [True] * 5 + [False] * 2
    assert bucket.take() == pytest.approx(0.1, rel=0.01)
    clock.now += 0.1
    assert bucket.take() == 0
    assert bucket.take() > 0
    clock.now += 0.25  # two have become free, and half of a third
    assert [bucket.take() == 0 for _ in range(3)] == [True, True, False]
    clock.now += 3_600  # an idle hour saves up no more than a burst
    assert sum(bucket.take() == 0 for _ in range(20)) == 5


@pytest.mark.parametrize("rate", [0.001, 0.3, 7.0, 1e3, 1e6])
def test_the_rate_holds_exactly_over_a_long_time(clock, rate):
    bucket = Rates().buckets({"a": (rate, 2)})["a"]
    allowed = 0
    for _ in range(5_000):
        allowed += bucket.take() == 0
        clock.now += 0.37 / rate
    assert allowed == pytest.approx(5_000 * 0.37, abs=2)


def test_workers_share_what_one_alone_would_have(clock):
    shared = Rates(3)
    bucket = shared.buckets({"a": (10.0, 6)})["a"]

    def allowed(*workers: int) -> int:
        count = 0
        for shared.worker in workers * 4:
            count += bucket.take() == 0
        return count

    assert allowed(0, 1, 2) == 6
    clock.now += 0.2
    assert allowed(0) == 2  # one alone gets all there is
    clock.now += 100
    assert allowed(2, 1, 0) == 6


def test_another_policy_does_not_pay_the_debts_of_the_old_one(clock):
    shared = Rates()
    slow = shared.buckets({"a": (0.001, 10)})["a"]
    assert sum(slow.take() == 0 for _ in range(20)) == 10  # the next in a quarter of an hour
    assert shared.buckets({"a": (0.001, 10), "b": (5.0, 5)})["a"].take() > 0
    assert shared.buckets({"a": (100.0, 10)})["a"].take() == 0


def test_names_never_share_a_bucket(clock):
    policies = {f"n{index}": (1.0, 1) for index in range(2_000)}
    buckets = Rates().buckets(policies)
    assert all(buckets[name].take() == 0 for name in policies)
    assert all(buckets[name].take() > 0 for name in policies)
    with pytest.raises(InputError, match="at most 8192"):
        Rates().buckets({f"n{index}": (1.0, 1) for index in range(8_193)})


def hammer(shared: Rates, worker: int, policy: tuple[float, int], until: float, told: int) -> None:
    bucket = shared.buckets({"a": policy})["a"]
    shared.worker = worker
    allowed = 0
    while time.monotonic() < until:
        allowed += bucket.take() == 0
    os.write(told, struct.pack("q", allowed))
    os._exit(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")
@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("policy", [(1_000.0, 200), (50_000.0, 1)])
def test_processes_together_keep_to_the_rate_and_get_all_of_it(workers, policy):
    rate, burst = policy
    shared = Rates(workers)
    read, told = os.pipe()
    start = time.monotonic()
    until = start + 1.5
    children = []
    for worker in range(workers):
        child = os.fork()
        if not child:
            hammer(shared, worker, policy, until, told)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    counts = struct.unpack(f"{workers}q", os.read(read, 8 * workers))
    os.close(read)
    os.close(told)
    assert sum(counts) <= burst + rate * 1.5 + workers - 1
    if burst > 1:  # else what is not asked for in time is lost, and a busy machine asks late
        assert sum(counts) >= 0.9 * (burst + rate * 1.5)
