"""What stands behind a leak is told in words."""

from fulmen.report.leaks import evidence


def test_pairs_are_named_as_such_and_what_is_no_word_is_left_out():
    known = {"count": 31, "pairs": [[k, 600 + k] for k in range(10)], "by_chance": 0, "beyond_target": -0.04246}
    (row,) = evidence([{"id": "FUL-L01", "code": "copies", "severity": "error", "evidence": known}]).rows
    assert row["evidence"] == (
        "count: 31; rows that go together: 0 with 600, 1 with 601, 2 with 602 and 7 more; expected by chance: 0"
    )
