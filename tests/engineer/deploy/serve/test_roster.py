"""Whatever is done to a lineup, it can be served."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiplap.engineer.deploy.serve.control.roster import Lineup, Place
from shiplap.engineer.deploy.serve.problem import ProblemError

VERSIONS = st.sampled_from("abcd")
SOURCES = st.sampled_from(["one.ship", "two.ship", "three.ship"])
PLACES = st.builds(lambda version, source: Place(version=version, path=source, source=source), VERSIONS, SOURCES)
ACTS = st.one_of(
    st.tuples(st.just("moved"), PLACES),
    st.tuples(st.just("joined"), PLACES),
    st.tuples(st.just("split"), VERSIONS, st.sampled_from([0.0, 10.0, 100.0])),
    st.tuples(st.sampled_from(["shadowed", "promoted", "without"]), VERSIONS),
    st.tuples(st.just("rolled_back")),
)


def done(lineup: Lineup, act: tuple) -> Lineup:
    try:
        return getattr(lineup, act[0])(*act[1:])
    except ProblemError:
        return lineup


@given(PLACES, st.lists(ACTS, max_size=12))
def test_whatever_is_done_every_version_that_is_meant_is_there(first, acts):
    lineup = Lineup(name="churn", places=(first,))
    for act in acts:
        before, lineup = lineup, done(lineup, act)
        versions = lineup.versions
        assert len(set(versions)) == len(versions)
        assert {each for each in (lineup.canary, lineup.shadow, lineup.previous) if each} <= set(versions)
        assert lineup.stable not in {lineup.canary, lineup.shadow, lineup.previous}
        assert bool(lineup.canary) == bool(lineup.percent)
        if act[0] in {"joined", "split", "shadowed", "without"}:
            assert lineup.stable == before.stable
        if act[0] == "moved" and lineup.stable != before.stable:
            assert (before.places[0].source, lineup.stable) == (act[1].source, act[1].version)
            assert lineup.rolled_back().stable == before.stable


def test_a_source_that_comes_to_hold_the_stable_version_changes_nothing_for_clients():
    one, two, three = (Place(version=version, path=version, source=version) for version in "abc")
    lineup = Lineup(name="churn", places=(one, two, three)).split("c", 10)
    moved = lineup.moved(Place(version="a", path="c", source="c"))
    assert (moved.stable, moved.canary, moved.percent) == ("a", "", 0.0)


def test_a_canary_that_the_source_of_the_stable_version_comes_to_hold_is_one_no_more():
    places = (Place(version=version, path="one.ship", source="one.ship") for version in "ab")
    lineup = Lineup(name="churn", places=tuple(places)).split("b", 10)
    moved = lineup.moved(Place(version="b", path="one.ship", source="one.ship"))
    assert (moved.stable, moved.canary, moved.percent, moved.previous) == ("b", "", 0.0, "a")


def test_a_share_that_is_no_number_is_refused():
    lineup = Lineup(name="churn", places=(Place(version="a", path="a"), Place(version="b", path="b")))
    with pytest.raises(ProblemError, match="0 to 100"):
        lineup.split("b", float("nan"))
