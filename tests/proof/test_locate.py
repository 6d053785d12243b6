import numpy as np

from shiplap.proof.locate import parting_node


def test_a_row_that_agrees_parts_nowhere_before_the_output(subject, load_draft):
    frame = subject.frame.iloc[:1]
    matrix = load_draft(subject).encoder.matrix(frame)
    assert parting_node(subject, frame, matrix, band=1e-12) == "output"


def test_the_first_step_that_differs_is_named(subject, load_draft):
    frame = subject.frame.iloc[:1]
    matrix = load_draft(subject).encoder.matrix(frame)
    names = [name for operation in subject.lowered.encoding.operations for name in [operation.column] * operation.width]
    for column, step in (("color", "prepare > category"), ("at", "prepare > date")):
        wrong = matrix.copy()
        wrong[0, names.index(column)] += 1 if np.isfinite(wrong[0, names.index(column)]) else 0
        wrong[0, names.index(column)] = np.nan_to_num(wrong[0, names.index(column)], nan=5.0)
        assert parting_node(subject, frame, wrong, band=1e-12) == step
