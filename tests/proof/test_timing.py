import gc

import pytest

from shiplap.proof import percentiles, time_calls


def test_percentiles_in_microseconds():
    timing = percentiles(list(range(1000, 102_000, 1000)))
    assert (timing.p50_us, timing.p99_us, timing.calls) == (51.0, 100.0, 101)


def test_items_are_taken_in_turn_and_the_collector_is_left_as_it_was():
    seen = []
    timing = time_calls(seen.append, [1, 2, 3], seconds=0.0, warm=3)
    assert seen[:6] == [1, 2, 3, 1, 2, 3]
    assert timing.calls >= 30
    assert gc.isenabled()


def test_what_the_call_raises_comes_through():
    with pytest.raises(ZeroDivisionError):
        time_calls(lambda item: 1 / item, [0])
    assert gc.isenabled()
