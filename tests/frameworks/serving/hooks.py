"""What Schemathesis is told beside the description: how bodies that are no JSON are sent, and what must be answered.

A schema cannot say that lists have equal lengths, or that a shape fits its values: a request that matches the schema
may be refused for that alone, and is told so. Nor does it say anything of the lines in a text.
"""

import re

import schemathesis
from schemathesis.specs.openapi.checks import negative_data_rejection

JSON = {None, "application/json"}
BEYOND = re.compile(
    r"columns of one length are expected|values are expected, not|has a shape that does not fit|rows are accepted"
    r"|values where its shape says|is of datatype|is there more than once|none of the ship's columns"
)


@schemathesis.serializer("text/csv", "text/plain", "application/x-ndjson", "application/jsonlines")
def as_text(context, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.check
def described_is_answered(context, response, case):
    """What the schema allows is answered, but for what no schema can say."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code == 200:
        return
    if case.media_type not in JSON:
        return
    told = response.json()
    assert response.status_code in {413, 422}, told
    assert BEYOND.search(told["detail"]), told


@schemathesis.check
def forbidden_is_refused(context, response, case):
    """What the schema forbids is refused; a number that is sent as text is a text like any other."""
    return negative_data_rejection(context, response, case) if case.media_type in JSON else None
