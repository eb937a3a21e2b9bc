"""What a table folds up is what it does not show."""

from fulmen.report.document import Report, TableOf
from fulmen.report.html import as_page


def test_columns_that_are_shown_are_not_folded_up_once_more(tmp_path):
    names = ["model", *(f"score {i}" for i in range(9))]
    table = TableOf("Scores", [dict.fromkeys(names, 0.5)], shown=4)
    assert table.folded == ["model", *(f"score {i}" for i in range(3, 9))]
    page = as_page(Report("x", "", "", main=table), tmp_path)
    assert "<summary>6 more columns</summary>" in page
    assert page.count("<th>score 0</th>") == page.count("<th>score 8</th>") == 1


def test_a_number_with_its_sd_stays_in_one_line_and_a_sentence_does_not(tmp_path):
    row = {
        "model": "a long name of a model",
        "r2": "0.00413 ± 0.00034",
        "what": "a sentence that may take several lines",
    }
    page = as_page(Report("x", "", "", main=TableOf("Scores", [row])), tmp_path)
    assert "<td class=whole>0.00413 ± 0.00034</td>" in page
    assert "<td>a long name of a model</td>" in page
    assert "<td>a sentence that may take several lines</td>" in page
