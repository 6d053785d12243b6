"""Vectorizers: the encoder counts tokens, the graph weighs and normalizes the counts."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer, strip_accents_ascii, strip_accents_unicode

from shiplap.adapters.frameworks.graph import INPUT
from shiplap.adapters.frameworks.lowering import Block, Cell, Context, Piece, Raw
from shiplap.adapters.frameworks.registry import class_path
from shiplap.core.encoding import Text

__all__ = [
    "OF_DICTIONARIES",
    "count_vectorizer",
    "hashing_vectorizer",
    "narrowed",
    "of_dictionaries",
    "tfidf_transformer",
    "tfidf_vectorizer",
]

OF_DICTIONARIES = {
    "DictVectorizer": (
        "DictVectorizer reads dictionaries with keys of their own, which are no columns of a table",
        "make a DataFrame of the dictionaries, and use OneHotEncoder on its columns of categories",
    ),
    "FeatureHasher": (
        "FeatureHasher reads dictionaries, pairs or lists of strings, which are no columns of a table",
        "use HashingVectorizer on a column of texts, or OneHotEncoder or TargetEncoder on columns of categories",
    ),
}
"""Why vectorizers of dictionaries are refused, and what to use instead."""
MOST_PLACES = 2**20
"""Tokens that are counted at most: a row is a dense matrix on its way into the graph."""
_LONGEST_NGRAM = 100
_TEXTS = {"category", "text", "id", "constant"}
_ACCENTS: dict[Any, str] = {
    None: "none",
    "ascii": "ascii",
    "unicode": "unicode",
    strip_accents_ascii: "ascii",
    strip_accents_unicode: "unicode",
}
_CHARACTERS = {
    r"\w": "word",
    r"[\w]": "word",
    r"[^\W\d_]": "letter",
    r"\S": "not_space",
    r"[^\s]": "not_space",
    "[a-zA-Z0-9_]": "ascii_word",
    "[A-Za-z0-9_]": "ascii_word",
    "[a-zA-Z0-9]": "ascii_letter_digit",
    "[A-Za-z0-9]": "ascii_letter_digit",
    "[a-z0-9]": "ascii_lower_digit",
    "[a-zA-Z]": "ascii_letter",
    "[A-Za-z]": "ascii_letter",
    "[a-z]": "ascii_lower",
}
_RESTS = {None: "none", "l1": "sizes", "l2": "squares"}
_WITH_OTHERS = re.compile(
    r"\[(\\w|a-zA-Z0-9_|A-Za-z0-9_|a-zA-Z0-9|A-Za-z0-9|a-z0-9|a-zA-Z|A-Za-z|a-z)((?:'|’|\\?-)+)\]"
)


def count_vectorizer(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``CountVectorizer``: counts, written by the encoder."""
    return _counts(estimator, block, context)


def tfidf_vectorizer(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``TfidfVectorizer``: counts in the encoder, weights and norm in the graph."""
    return _weighted(estimator._tfidf, _counts(estimator, block, context), context)


def tfidf_transformer(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``TfidfTransformer``: weights and norm of counts."""
    cells = context.cells(block.pieces)
    if estimator.sublinear_tf and any(_signed(operation) for operation in _texts_behind(cells, context)):
        raise context.refuse(
            "sublinear_tf takes the logarithm of hashed counts, some of them negative",
            hint="use HashingVectorizer(alternate_sign=False)",
        )
    return _weighted(estimator, cells, context)


def hashing_vectorizer(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Lower ``HashingVectorizer``: counts at hashed places in the encoder, the norm in the graph.

    Where the model needs some places only, the others add to the norm alone: as one number.
    """
    n_features, wanted = int(estimator.n_features), context.wanted
    if n_features > MOST_PLACES and wanted is None:
        raise context.refuse(
            f"n_features={n_features:,} makes a dense row of {n_features * 8 / 1e6:.1f} MB",
            hint=f"use n_features of at most {MOST_PLACES:,} (2**16 are usually enough), or TfidfVectorizer",
        )
    places = () if wanted is None else tuple(wanted.tolist())
    rest = _RESTS[estimator.norm] if places else "none"
    signed = bool(estimator.alternate_sign)
    counted = {"n_features": n_features, "alternate_sign": signed, "places": places, "rest": rest}
    cells = context.encoded(_operation(estimator, block, context, **counted), integral=True)
    if estimator.norm is None:
        return cells
    width = len(places) or n_features
    length = context.matrix(cells[width:]) if places else None
    return context.computed(_normalized(context.matrix(cells[:width]), estimator.norm, context, length), width)


def narrowed(steps: list[tuple[str, Any]]) -> tuple[Any, NDArray[np.int64] | None]:
    """Leave out the weights of 0 where a linear model reads hashed texts: most places never met a word.

    Parameters
    ----------
    steps : list of (str, estimator)
        The steps of a pipeline.

    Returns
    -------
    last : estimator
        The last step, with the weights that are not 0 where most of them are.
    wanted : ndarray of int, or None
        The places of these weights; None where the step is as it was.
    """
    last = steps[-1][1]
    if len(steps) < 2 or not isinstance(steps[-2][1], HashingVectorizer) or "coef_" not in vars(last):
        return last, None
    if not class_path(type(last)).startswith(("sklearn.linear_model.", "sklearn.svm.Linear")):
        return last, None
    wanted = np.flatnonzero(np.atleast_2d(last.coef_).any(axis=0))
    if len(wanted) > steps[-2][1].n_features // 2:
        return last, None
    wanted = wanted if len(wanted) else np.array([0])
    last = copy.copy(last)
    last.coef_, last.n_features_in_ = last.coef_[..., wanted], len(wanted)
    return last, wanted


def of_dictionaries(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Refuse ``DictVectorizer`` and ``FeatureHasher``, whose rows are no rows of a table."""
    del block
    reason, hint = OF_DICTIONARIES[type(estimator).__name__]
    raise context.refuse(reason, hint=hint)


def _counts(estimator: Any, block: Block, context: Context) -> tuple[Cell, ...]:
    places: dict[str, int] = estimator.vocabulary_
    vocabulary = tuple(sorted(places, key=places.__getitem__))
    if len(vocabulary) > MOST_PLACES:
        raise context.refuse(
            f"its vocabulary of {len(vocabulary):,} tokens makes a dense row of {len(vocabulary) * 8 / 1e6:.1f} MB",
            hint=f"use min_df=2 or max_features of at most {MOST_PLACES:,}",
        )
    try:
        "".join(vocabulary).encode()
    except UnicodeEncodeError:
        raise context.refuse(
            "its vocabulary holds half a character (a lone surrogate)", hint="clean the texts"
        ) from None
    if np.dtype(estimator.dtype) not in (np.dtype(np.int64), np.dtype(np.int32), np.dtype(np.float64)):
        raise _narrow(estimator, context)
    return context.encoded(_operation(estimator, block, context, vocabulary=vocabulary), integral=True)


def _operation(estimator: Any, block: Block, context: Context, **counted: Any) -> Text:
    raw = _column(estimator, block, context, learned="vocabulary" in counted)
    column = context.source(raw)
    if np.dtype(estimator.dtype).kind == "f" and np.dtype(estimator.dtype) != np.float64:
        raise _narrow(estimator, context)
    if callable(estimator.analyzer):
        raise _code(estimator.analyzer, "analyzer", context)
    shortest, longest = (int(size) for size in estimator.ngram_range)
    if not 1 <= shortest <= longest <= _LONGEST_NGRAM:
        raise context.refuse(f"ngram_range={estimator.ngram_range}", hint=f"1 to {_LONGEST_NGRAM} are possible")
    words = estimator.analyzer == "word"
    lowercase, accents = _preparation(estimator, context)
    return Text(
        column=column.name,
        missing=column.missing,
        analyzer=estimator.analyzer,
        lowercase=lowercase,
        strip_accents=accents,
        ngrams=(shortest, longest),
        stop_words=tuple(sorted(estimator.get_stop_words() or ())) if words else (),
        binary=bool(estimator.binary),
        **(_words(estimator, context) if words else {}),
        **counted,
    )


def _column(estimator: Any, block: Block, context: Context, *, learned: bool) -> Raw:
    piece = block.pieces[0]
    if len(block.pieces) != 1 or not isinstance(piece, Raw) or piece.fill is not None:
        raise context.refuse(
            f"{type(estimator).__name__} reads one column of texts as the client sends them",
            hint="give it a column of its own in a ColumnTransformer, named by a plain string",
        )
    column = context.source(piece)
    if column.kind not in _TEXTS:
        raise context.refuse(
            f"column '{column.name}' holds a {column.kind}, not texts", hint="leave numbers as they are"
        )
    if estimator.input != "content":
        raise context.refuse(f"input='{estimator.input}' reads files", hint="use input='content'")
    if column.private and learned:
        raise context.refuse(
            f"column '{column.name}' is private, and a vocabulary is made of its words",
            hint="use HashingVectorizer, which keeps no word",
        )
    return piece


def _preparation(estimator: Any, context: Context) -> tuple[bool, Any]:
    if estimator.preprocessor is not None and estimator.preprocessor is not str.lower:
        raise _code(estimator.preprocessor, "preprocessor", context)
    if estimator.preprocessor is str.lower:
        return True, "none"
    try:
        return bool(estimator.lowercase), _ACCENTS[estimator.strip_accents]
    except (KeyError, TypeError):
        raise _code(estimator.strip_accents, "strip_accents", context) from None


def _words(estimator: Any, context: Context) -> dict[str, Any]:
    """Say what a word is: a pattern of the closed list, or ``str.split``."""
    if estimator.tokenizer is str.split:
        return {"characters": "not_space", "shortest": 1}
    if estimator.tokenizer is not None:
        raise _code(estimator.tokenizer, "tokenizer", context)
    parts = _parsed(estimator.token_pattern)
    if parts is None:
        raise context.refuse(
            f"the token pattern {estimator.token_pattern!r} is none of those that a ship can express",
            hint=r"use one class of characters and a least length: (?u)\b\w\w+\b, \w+, [a-zA-Z0-9_]+, \b[a-z]{3,}\b, "
            r"[\w'-]+ or \S+",
        )
    return parts


def _parsed(pattern: str) -> dict[str, Any] | None:
    """Return what a pattern means: ``(?u)``, a class once or more, ``+``, ``*`` or ``{n,}``, word borders around."""
    body = pattern.removeprefix("(?u)")
    left, right = body.startswith(r"\b"), body.endswith(r"\b")
    body = body.removeprefix(r"\b").removesuffix(r"\b")
    found = re.match(r"\[[^\]]+\]|\\[wS]", body)
    if found is None:
        return None
    characters, also = _characters(found[0])
    shortest = _least(body, found[0])
    if not characters or not shortest:
        return None
    if characters == "word" and not also:  # its runs have word borders anyway
        left = right = False
    if left != right or (left and (also or characters == "not_space")):
        return None
    return {"characters": characters, "also": also, "shortest": shortest, "whole": left}


def _characters(written: str) -> tuple[str, str]:
    if written in _CHARACTERS:
        return _CHARACTERS[written], ""
    others = _WITH_OTHERS.fullmatch(written)
    if others is None:
        return "", ""
    plain = others[1] if others[1].startswith("\\") else f"[{others[1]}]"
    return _CHARACTERS[plain], "".join(sorted(set(others[2].replace("\\", ""))))


def _least(body: str, written: str) -> int:
    """Return how many characters a token has at least; 0 where that is written in another way."""
    times = 0
    while body.startswith(written):
        body = body[len(written) :]
        times += 1
    if body == "+":
        return times
    if body == "*":
        return times - 1
    counted = re.fullmatch(r"\{([0-9]{1,3}),\}", body)
    return int(counted[1]) + times - 1 if counted else 0


def _weighted(estimator: Any, cells: tuple[Cell, ...], context: Context) -> tuple[Cell, ...]:
    graph = context.graph
    tensor = context.matrix(cells)
    if estimator.sublinear_tf:
        zero, one = graph.constant(np.array([0.0])), graph.constant(np.array([1.0]))
        damped = graph.op("Add", graph.op("Log", tensor), one)
        tensor = graph.op("Where", graph.op("Equal", tensor, zero), zero, damped)
    if hasattr(estimator, "idf_"):
        idf = np.asarray(estimator.idf_)
        if idf.dtype != np.float64:
            raise _narrow(estimator, context)
        tensor = graph.op("Mul", tensor, graph.constant(idf))
    return context.computed(_normalized(tensor, estimator.norm, context), len(cells))


def _normalized(tensor: str, norm: str | None, context: Context, rest: str | None = None) -> str:
    """Divide each row by its norm, where that is not 0; `rest` is what further columns add to it."""
    if norm is None:
        return tensor
    graph = context.graph
    axis = graph.constant(np.array([1], np.int64))
    if norm == "l2":
        length = graph.op("ReduceSumSquare", tensor, axis, keepdims=1)
    else:
        length = graph.op("ReduceSum", graph.op("Abs", tensor), axis, keepdims=1)
    if rest is not None:
        length = graph.op("Add", length, rest)
    if norm == "l2":
        length = graph.op("Sqrt", length)
    zero, one = graph.constant(np.array([0.0])), graph.constant(np.array([1.0]))
    return graph.op("Div", tensor, graph.op("Where", graph.op("Equal", length, zero), one, length))


def _texts_behind(cells: tuple[Cell, ...], context: Context) -> list[Text]:
    """Return the operations that wrote columns of the input, those that count tokens."""
    taken = {cell.index for cell in cells if cell.tensor == INPUT}
    found = []
    for operation, start in context.offsets.items():
        if isinstance(operation, Text) and not taken.isdisjoint(range(start, start + operation.width)):
            found.append(operation)
    return found


def _signed(operation: Text) -> bool:
    return bool(operation.n_features) and operation.alternate_sign


def _code(function: Any, argument: str, context: Context) -> Exception:
    shown = getattr(function, "__qualname__", repr(function))
    return context.refuse(
        f"{argument} '{shown}' is code, and a ship carries none",
        hint="use the analyzer 'word', 'char' or 'char_wb' with lowercase, strip_accents and a plain token_pattern",
    )


def _narrow(estimator: Any, context: Context) -> Exception:
    kind = np.dtype(getattr(estimator, "dtype", np.float32))
    return context.refuse(f"it counts in {kind}", hint="use the default dtype")
