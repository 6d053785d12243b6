from shiplap.adapters.figures.markdown import escape, render
from shiplap.core.finding import Finding
from shiplap.core.report import DataTable, Report


def test_a_report_is_read_in_order() -> None:
    report = Report(
        verb="run",
        title="late",
        verdict="go",
        findings=(Finding(check="a", verdict="warn", means="1,222 rows appear twice", todo="look", columns=("id`",)),),
        tables=(DataTable(name="t", title="Where", columns=("slice", "share"), rows=(("a|b", 0.5), ("c\nd", None))),),
        parts=(Report(verb="train", title="Model"),),
    )
    assert render(report).splitlines() == [
        "# late", "", "**go**", "",
        "- ⚠️ 1,222 rows appear twice `id` *look*", "",
        "**Where**", "", "| slice | share |", "| --- | ---: |", "| a\\|b | 50% |", "| c d | – |", "",
        "## Model", "", "**done**",
    ]  # fmt: skip


def test_data_is_never_markup() -> None:
    assert escape("<script>*[x](y)`") == "\\<script>\\*\\[x\\](y)\\`"
    assert escape("dep_delay _a_ & b &lt;") == "dep_delay \\_a\\_ & b \\&lt;"
    assert escape("# head\n- item") == "\\# head - item"
