"""Long bodies are read in pieces, and rows past the dictionary: to the same answers and refusals as at once."""

import json
import random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiplap.core.encoding import Boolean, Category, Date, Encoding, Number, Tensor, Text
from shiplap.core.errors import RowError
from shiplap.engineer.deploy.serve import bodies
from shiplap.engineer.deploy.serve.models.pieces import JsonReader
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.scoring import Encoder, JsonRows

ENCODING = Encoding(
    operations=(
        Number(column="age", missing=("?", "-9")),
        Number(column="fare"),
        Category(column="plan", categories=("basic", "plus", "3"), if_unseen=(-1.0,)),
        Category(column="zone", categories=(1, 2, 3.5), values=((1.0, 0.0), (0.0, 1.0), (1.0, 1.0))),
        Date(column="since", parts=("month", "weekday")),
        Date(column="day", parts=("day",), format="%Y%m%d"),
        Boolean(column="paid", true=("Y",), false=("N",)),
        Text(column="note", vocabulary=("free", "now")),
        Tensor(column="x", shape=(2,)),
        Number(column="day", missing=("0",)),
    )
)
ENCODER = Encoder(ENCODING)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([10**400, -0.0, 0, -9, 3, 3.0, 20130131, 9007199254740993, 5e-324]),
    st.sampled_from(
        ["41", " 7 ", "1e3", "nan", "?", "-9", "", "basic", "3", "Y", "2013-03-01", "20130131", "free now"]
    ),
    st.text(max_size=4),
    st.lists(st.one_of(st.integers(0, 9), st.none()), max_size=3),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
)
NAMES = [*ENCODER.columns, "other", "Age", "", "ä"]
ROWS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)


def by_the_encoder(text):
    """Return what the encoder makes of a JSON object, or None where it refuses it."""
    out = np.zeros((1, ENCODER.width))
    try:
        ENCODER.row(msgspec.json.decode(text), out)
    except (RowError, msgspec.DecodeError):
        return None
    return out


@settings(max_examples=600, deadline=None)
@given(row=ROWS)
def test_what_is_read_past_the_dictionary_is_the_encoders_row_to_the_bit(row):
    text = json.dumps(row).encode()
    out = np.zeros((1, ENCODER.width))
    if JsonRows(ENCODER).row(text, out):
        expected = by_the_encoder(text)
        assert expected is not None
        assert out.tobytes() == expected.tobytes()


def test_usual_rows_are_read_past_the_dictionary():
    reader, out = JsonRows(ENCODER), np.zeros((1, ENCODER.width))
    usual = {"age": 41, "fare": None, "plan": "basic", "since": "2013-03-01", "paid": True, "x": [1, 2], "other": {}}
    assert reader.row(json.dumps(usual).encode(), out)
    assert reader.matrix(reader.rows(json.dumps([usual] * 3).encode())).tobytes() == out.tobytes() * 3
    for unusual in ({}, {"other": 1}, {"age": None}, {"age": [1]}, {"fare": "x"}, {"x": [1]}):
        assert not reader.row(json.dumps(unusual).encode(), out)


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb"])
def test_a_column_that_no_struct_can_have_is_read_through_the_dictionary(name):
    encoder = Encoder(Encoding(operations=(Number(column=name),)))
    assert not JsonRows(encoder).row(json.dumps({name: 1}).encode(), np.zeros((1, 1)))
    piece = next(JsonReader(encoder, 16).array(json.dumps([{name: 1}]).encode()))
    assert piece.matrix(slice(0, 1)).tolist() == [[1.0]]


def read(body, piece_bytes, monkeypatch):
    """Return the matrix of all pieces, or the status and the row of the refusal."""
    monkeypatch.setattr(bodies, "_PIECE_BYTES", piece_bytes)
    first, parts = 0, [np.empty((0, ENCODER.width))]
    try:
        for piece in JsonReader(ENCODER, 16).array(body):
            parts.append(piece.matrix(slice(0, len(piece))))
            first += len(piece)
    except RowError as error:
        return 422, first + error.row
    except ProblemError as error:
        return error.status, error.members.get("row")
    return np.concatenate(parts)


STRANGE = ["},", '"},{"age":1', "[{", '\\"},', "}\n ,", "]}", "\\"]


@pytest.mark.parametrize("seed", range(150))
def test_an_array_in_pieces_is_the_array_at_once(seed, monkeypatch):
    chance = random.Random(seed)
    rows = []
    for _ in range(chance.randrange(40)):
        row = {"age": chance.randrange(99), "plan": chance.choice(STRANGE), "other": [{"a": chance.choice(STRANGE)}]}
        if chance.random() < 0.03:
            row = chance.choice([{"age": []}, {}, 7, {"plan": {}}, {"fare": "x"}])
        rows.append(row)
    separators = (chance.choice([",", " ,\n ", ", "]), ":")
    body = json.dumps(rows, separators=separators).encode()
    if chance.random() < 0.2:
        place = chance.randrange(len(body))
        body = body[:place] + chance.choice([b"", b"}", b",", b'"', b"]", b"\xff"]) + body[place + 1 :]
    whole = read(body, 1 << 30, monkeypatch)
    for piece_bytes in (1, 7, 60, 300):
        pieces = read(body, piece_bytes, monkeypatch)
        if isinstance(whole, tuple) or isinstance(pieces, tuple):
            # Of several faults, the first in the body is told, which a piece that ends before the others may not see.
            assert isinstance(whole, tuple)
            assert isinstance(pieces, tuple)
            continue
        assert pieces.tobytes() == whole.tobytes()


@pytest.mark.parametrize("body", [b'[{"age":1},]', b'[{"age":1},{"age":2},]', b'[{"age":1}', b'[{"age":1}},{"age":2}]'])
def test_a_broken_array_is_refused_wherever_it_is_cut(body, monkeypatch):
    for piece_bytes in (1, 5, 1 << 20):
        assert read(body, piece_bytes, monkeypatch) == (400, None)


def test_lines_in_pieces_are_the_lines_at_once(monkeypatch):
    lines = [json.dumps({"age": place, "plan": "}\n"}) for place in range(50)]
    body = "\n\n".join(lines).encode() + b"\n"
    for piece_bytes in (1, 20, 1 << 20):
        monkeypatch.setattr(bodies, "_PIECE_BYTES", piece_bytes)
        pieces = list(JsonReader(ENCODER, 16).lines(body))
        ages = np.concatenate([piece.matrix(slice(0, len(piece)))[:, 0] for piece in pieces])
        assert ages.tolist() == list(range(50))
    with pytest.raises(ProblemError) as caught:
        [
            piece.matrix(slice(0, len(piece)))
            for piece in JsonReader(ENCODER, 16).lines(b'{"age":1}\n{"age":1}{"age":2}')
        ]
    assert (caught.value.status, caught.value.members["row"]) == (400, 1)
