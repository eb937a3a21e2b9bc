"""A report is one file, complete without network and neighbours."""

import base64
import re

from fulmen.report.markdown_page import as_page
from fulmen.report.of_run import write_report
from fulmen.report.summary import Summary

REPORT = """\
# A run

completed after `3` epochs, **well** and <truly>.

## Result

| model | R2 |
| --- | ---: |
| network | 0.9 |
| mean | 0 |

- first
- second

![A curve](figures/curve.png)

*A curve*
"""


def test_the_page_of_an_old_report_holds_everything_and_asks_for_nothing(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "curve.png").write_bytes(b"\x89PNG picture")
    report = tmp_path / "report.md"
    report.write_text(REPORT)
    page = as_page(report)
    assert "<h1>A run</h1>" in page
    assert "<tr><td>network</td><td>0.9</td></tr>" in page
    assert "<li>first</li><li>second</li>" in page
    assert "<code>3</code> epochs, <strong>well</strong> and &lt;truly&gt;" in page
    assert base64.b64encode(b"\x89PNG picture").decode() in page
    assert page.count("A curve") == 2  # in the caption and for those who cannot see
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "http" not in page


def test_what_is_not_ours_is_text(tmp_path):
    rows = [{"compound": "<script>alert(1)</script>", "a|b": "*x* [y](http://z) `w` __init__ &lt; snake_case", "n": 1}]
    summary = Summary(
        {}, {}, {"Per <script>": rows}, {"<script>src('x')</script> of a_b_ ]": "none.png"}, ["<img src=x> & [z](y)"]
    )
    cost = {"fit_seconds": 1.0, "parameters": 1, "device": "cpu", "threads": 1, "precision": "32-true"}
    result = {"status": "completed", "epochs": 1, "cost": cost, "verdicts": []}
    (tmp_path / "config.yaml").write_text("lr: 1 # <b>\n")
    write_report(tmp_path, "<script>", summary, result, ["a=<b>"])
    page = (tmp_path / "report.html").read_text()
    assert "<title>&lt;script&gt;</title>" in page
    assert "<td>&lt;script&gt;alert(1)&lt;/script&gt;</td>" in page
    assert "<td>*x* [y](http://z) `w` __init__ &amp;lt; snake_case</td>" in page
    assert "<th>a|b</th>" in page
    assert "<li>&lt;img src=x&gt; &amp; [z](y)</li>" in page
    assert "&lt;script&gt;src(&#x27;x&#x27;)&lt;/script&gt; of a_b_ ]: none.png is missing" in page
    assert "<script" not in page
    assert "<img" not in page
    assert "lr: 1 # &lt;b&gt;" in page
    assert "<a " not in page


def test_a_figure_from_outside_the_folder_stays_there(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "report.md").write_text("# A run\n\n![A curve](../secret.png)\n")
    page = as_page(tmp_path / "run" / "report.md")
    assert "secret.png is missing" in page
    assert "base64" not in page
