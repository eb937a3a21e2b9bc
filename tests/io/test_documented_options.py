"""The page on one's own files says of every option of a table what its docstring says, and nothing of others."""

import re

from pages import ROOT

from fulmen.io.options import NAMES, TableOptions


def test_the_table_of_options_is_that_of_the_class():
    page = (ROOT / "docs/your_files.md").read_text()
    rows = dict(re.findall(r"^\| `data\.(\w+)` \| (.+) \|$", page, re.MULTILINE))
    attributes = TableOptions.__doc__.partition("Attributes:\n")[2].partition("\n\n")[0]
    said = {name: text.rstrip(".") for name, text in re.findall(r"^ +(\w+): (.+)$", attributes, re.MULTILINE)}
    assert list(said) == list(NAMES)
    assert rows == said


def test_the_options_on_the_page_are_values_of_the_class():
    page = (ROOT / "docs/your_files.md").read_text()
    for name in re.findall(r"data\.(\w+)=(?!\s)", page):
        assert name in {*NAMES, "npz", "horizon_days"}, name
