"""report.html is one file, complete without network and neighbours."""

import base64
import re

from fulmen.report.html import write_page

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


def test_page_holds_everything_and_asks_for_nothing(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "curve.png").write_bytes(b"\x89PNG picture")
    (tmp_path / "config.yaml").write_text("lr: 1 # <b>\n")
    report = tmp_path / "report.md"
    report.write_text(REPORT)
    page = write_page(report, {"configuration": tmp_path / "config.yaml", "absent": tmp_path / "none"}).read_text()
    assert "<h1>A run</h1>" in page
    assert "<tr><td>network</td><td>0.9</td></tr>" in page
    assert "<li>first</li><li>second</li>" in page
    assert "<code>3</code> epochs, <strong>well</strong> and &lt;truly&gt;" in page
    assert base64.b64encode(b"\x89PNG picture").decode() in page
    assert "lr: 1 # &lt;b&gt;" in page
    assert page.count("A curve") == 2  # in the caption and for those who cannot see
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "http" not in page
