"""What the documents name is there: files, folders, make targets, names of the package, and the results they quote."""

import json
import re
import tomllib
from datetime import date

import pytest
import yaml
from pages import GUIDES, PAGES, ROOT, prose_words, tables, tokens

import fulmen

TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
TOPS = "|".join(["src/fulmen", "conf", "tests", "benchmarks", "notebooks"])


def missing(names):
    return sorted(name for name in set(names) if not (ROOT / name).exists())


@pytest.mark.parametrize("name", PAGES)
def test_files_folders_make_targets_and_public_names_exist(name):
    text = (ROOT / name).read_text()
    named = re.findall(rf"(?<![\w./])((?:{TOPS})/[\w./]*\w)(?![\w*<])", text)
    assert missing(each for each in named if "mylab" not in each) == []  # the project that docs/own_project.md begins
    assert sorted(set(re.findall(r"(?:^ *|`)make ([\w-]+)", text, re.MULTILINE)) - TARGETS) == []
    assert [each for each in re.findall(r"`fulmen\.(\w+)[`(]", text) if not hasattr(fulmen, each)] == []


def test_the_table_of_rooms_is_whole():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = text.partition("## Where things are")[2].partition("`conf/`")[0]
    cells = " ".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))
    named = {name.partition("/")[0] for name in re.findall(r"`([\w/.<>]+)`", cells)}
    rooms = {path.name for path in (ROOT / "src" / "fulmen").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert named == rooms - {"__init__.py", "__pycache__"}


@pytest.mark.parametrize("name", PAGES)
def test_lines_are_short_but_in_tables_and_commands(name):
    code = {number for token in tokens(name) if token.type == "fence" for number in range(*token.map)}
    lines = enumerate((ROOT / name).read_text().splitlines())
    assert [line for number, line in lines if len(line) > 130 and number not in code and line[0] not in "|!"] == []


def test_the_readme_is_read_in_five_minutes():
    assert 700 <= prose_words("README.md") <= 1000


def results(name):
    return json.loads((ROOT / name).read_text())


@pytest.mark.parametrize("name", GUIDES)
def test_tables_that_name_their_results_hold_what_was_measured(name):
    for source, (head, *rows) in tables(name):
        if not source:
            continue
        measured = results(re.fullmatch(r"<!-- table: (\S+) -->", source)[1])["table"]
        assert rows
        for label, *cells in rows:
            assert cells == [measured[label][column] for column in head[1:]], label


@pytest.mark.parametrize(
    ("name", "results"),
    [("README.md", ["pbpk_surrogate"]), ("docs/pbpk.md", ["pbpk_surrogate", "pbpk_accuracy"])],
)
def test_the_tables_of_results_are_found(name, results):
    named = [f"<!-- table: benchmarks/results/{each}.json -->" for each in results]
    assert [source for source, _ in tables(name) if source] == named


def test_counts_that_name_their_results_are_what_was_counted():
    texts = [" ".join(token.content.split()) for name in GUIDES for token in tokens(name) if token.type == "inline"]
    claimed = re.findall(r"(\d+) of (\d+) [^.]*\(`(benchmarks/results/\w+\.json)`\)", "\n".join(texts))
    assert len(claimed) >= 3
    for number, whole, source in claimed:
        cells = results(source)["cells"].values()
        assert (int(number), int(whole)) == (sum(cell["ok"] for cell in cells), len(cells)), source


def test_a_page_with_measured_numbers_names_what_measures_them():
    for name in ["docs/pbpk.md", "docs/stocks.md", "docs/images.md", "docs/sensors.md", "docs/sweeps.md"]:
        scripts = re.findall(r"`python (benchmarks/\w+\.py)", (ROOT / name).read_text())
        assert scripts, name
        assert missing(scripts) == []


def test_the_changelog_begins_with_what_is_unreleased_and_holds_the_version_of_the_package():
    headings = re.findall(r"^## \[(.+?)\](?: - (\S+))?$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert headings[0] == ("Unreleased", "")
    assert version in [number for number, _ in headings]
    assert [day for _, day in headings if day and not date.fromisoformat(day)] == []


def test_the_citation_is_of_this_package_and_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited.keys() >= {"cff-version", "message", "title", "authors"}  # what the format requires
    assert (str(cited["version"]), " AND ".join(cited["license"])) == (project["version"], project["license"])


def test_hooks_of_pre_commit_run_tools_of_the_environment():
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    dev = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["dev"]
    installed = {re.match(r"[\w-]+", each)[0] for each in dev}
    assert [repo["repo"] for repo in repos] == ["local"]
    for hook in repos[0]["hooks"]:
        folder, tool = hook["entry"].split()[0].rsplit("/", 1)
        assert (hook["language"], folder) == ("system", ".venv/bin")
        assert tool in installed
