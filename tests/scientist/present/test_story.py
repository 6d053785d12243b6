import msgspec

from shiplap.core.brief import Brief
from shiplap.core.report import Report
from shiplap.scientist.present.facts import Facts
from shiplap.scientist.present.story import headline, question, sentences, verdict


def without(report: Report, *verbs: str) -> Report:
    return msgspec.structs.replace(report, parts=tuple(part for part in report.parts if part.verb not in verbs))


def run(train: dict[str, object], **assess: object) -> Facts:
    parts = (Report(verb="assess", title="", metrics=assess), Report(verb="train", title="", metrics=train))  # type: ignore[arg-type]
    return Facts(Report(verb="run", title="", verdict="go", metrics={"name": "bikes", "target": "cnt"}, parts=parts))


def test_the_story_of_the_flights(flights: Report) -> None:
    facts = Facts(flights)
    asked = question(facts)
    assert (asked.before, asked.target, asked.action) == (
        "Can we tell in advance when",
        "arr_delay > 15",
        "hold a seat on a later connection",
    )
    assert verdict(facts)[:2] == ("good", "Go")
    shown = headline(facts)
    assert shown is not None
    assert (shown.figure, shown.span) == ("+$1,290", "95% interval +$1,101 to +$1,403")
    assert 0 < shown.zero < shown.low < shown.value < shown.high < 100  # type: ignore[operator]
    assert sentences(facts) == [
        "The model learned from 230,112 rows and was judged on 54,221 later ones it had not seen; "
        "arr_delay > 15 in 23.7% of the rows.",
        "Of two rows, one with arr_delay > 15 and one without, it gives the right one the higher score 74.2% of "
        "the time (a linear model 69.9%, a coin 50%).",
        "The ship file was held against the model on 24,812 rows and changed no answer; one row takes 6.21 µs, "
        "1,307 times faster than the original.",
    ]


def test_a_loss_keeps_its_sign_and_its_place() -> None:
    shown = headline(run({}, gain_per_1000=-12.5, gain_low=-30.0, gain_high=5.0, unit="EUR"))
    assert shown is not None
    assert (shown.figure, shown.span) == ("−12.50 EUR", "95% interval −30 EUR to +5 EUR")
    assert shown.low < shown.value < shown.zero < shown.high  # type: ignore[operator]


def test_without_values_no_money_is_invented() -> None:
    facts = run(
        {"test_auc": 0.8},
        gain_per_1000=None,
        gain=0.03,
        gain_low=0.02,
        gain_high=0.04,
        unit="log loss",
        break_even=0.2543,
    )
    shown = headline(facts)
    assert shown is not None
    assert shown.figure == "0.254 ×"
    assert "no money is invented" in shown.caption


def test_a_ratio_of_nothing_is_not_the_headline() -> None:
    shown = headline(run({"test_log_loss": 0.1, "constant_log_loss": 0.5}, break_even=0.0))
    assert shown is not None
    assert (shown.figure, shown.caption[:13]) == ("80%", "less log loss")


def test_a_model_worse_than_the_constant_says_so() -> None:
    facts = run({"test_rmse": 120.0, "constant_rmse": 100.0, "test_r2": -0.44})
    shown = headline(facts)
    assert shown is not None
    assert (shown.figure, shown.caption[:10]) == ("20%", "more error")
    assert sentences(facts) == ["It is typically 120 off and explains nothing of what varies."]


def test_a_go_claims_no_more_than_its_interval() -> None:
    sure = run({}, gain_per_1000=9.0, gain_low=4.0, gain_high=12.0)
    assert verdict(sure)[2].endswith("the whole interval lies above it.")
    shipped = run({"gain_per_1000": 3.0, "gain_low": -1.0, "gain_high": 7.0}, gain_per_1000=9.0, gain_low=4.0)
    assert verdict(shipped)[2].startswith("As assessed")


def test_the_shipped_model_speaks_before_the_quick_one() -> None:
    train = {"gain_per_1000": 1500.0, "gain_low": 1400.0, "gain_high": 1600.0}
    shown = headline(run(train, gain_per_1000=900.0, unit="$"))
    assert shown is not None
    assert shown.figure == "+$1,500"


def test_regression_and_multiclass_speak_their_own_words() -> None:
    bikes = run({"test_rmse": 42.123, "test_r2": 0.91, "constant_rmse": 180.0, "n_train": 900, "n_test": 100})
    assert question(bikes).before == "How well can we tell"
    assert sentences(bikes)[1] == "It is typically 42.1 off and explains 91% of what varies."
    assert headline(bikes).figure == "76.6%"  # type: ignore[union-attr]
    flowers = run({"test_accuracy": 0.96, "linear_accuracy": 0.94})
    assert question(flowers).after == " it will be?"
    assert sentences(flowers) == ["It names the right class for 96% of the test rows (a linear model: 94%)."]


def test_a_ranking_asks_which_rows_bring_the_most() -> None:
    facts = run({"test_rmse": 22.0, "test_r2": 0.17, "test_captured": 0.66})
    facts.brief = Brief(target="spend", task="ranking")
    assert (facts.task, question(facts).before, question(facts).target) == (
        "regression",
        "Which rows bring the most",
        "spend",
    )
    assert sentences(facts) == ["Within the capacity it brings 66% of what could be had if values were known."]
    facts = run({})
    facts.brief = Brief(target="late", task="anomaly")
    assert facts.task == "binary"


def test_what_no_step_said_is_left_out(flights: Report) -> None:
    assert sentences(Facts(without(flights, "explore", "assess", "train", "pack", "bench"))) == []
    assert headline(Facts(without(flights, "assess"))) is not None
    assert len(sentences(Facts(without(flights, "bench")))) == 3
    assert verdict(Facts(Report(verb="explore", title="", verdict="done")))[1] == "Done"
