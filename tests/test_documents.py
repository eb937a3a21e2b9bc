"""What the documents name is there: files, folders, make targets, names of the package."""

import re
import tomllib
from datetime import date

import pytest
import yaml

import fulmen
from fulmen.config.schema import project_root

ROOT = project_root()
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
TOPS = "|".join(["src/fulmen", "conf", "tests", "benchmarks", "notebooks"])


def missing(names):
    return sorted(name for name in set(names) if not (ROOT / name).exists())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_folders_make_targets_and_public_names_exist(name):
    text = (ROOT / name).read_text()
    assert missing(re.findall(rf"(?<![\w./])((?:{TOPS})/[\w./]*\w)(?![\w*<])", text)) == []
    assert sorted(set(re.findall(r"(?:^ *|`)make ([\w-]+)", text, re.MULTILINE)) - TARGETS) == []
    assert [each for each in re.findall(r"`fulmen\.(\w+)[`(]", text) if not hasattr(fulmen, each)] == []


def test_the_table_of_rooms_is_whole():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = text.partition("## Where things are")[2].partition("`conf/`")[0]
    cells = " ".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))
    named = {name.partition("/")[0] for name in re.findall(r"`([\w/.<>]+)`", cells)}
    rooms = {path.name for path in (ROOT / "src" / "fulmen").iterdir() if path.suffix == ".py" or path.is_dir()}
    assert named == rooms - {"__init__.py", "__pycache__"}


def test_every_document_links_to_files_that_exist_and_has_short_lines():
    for name in DOCUMENTS[1:]:
        text = (ROOT / name).read_text()
        assert [line for line in text.splitlines() if len(line) > 130] == [], name
        assert missing(link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link) == [], name


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
    assert (str(cited["version"]), cited["license"]) == (project["version"], project["license"])


def test_hooks_of_pre_commit_run_tools_of_the_environment():
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    dev = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["dev"]
    installed = {re.match(r"[\w-]+", each)[0] for each in dev}
    assert [repo["repo"] for repo in repos] == ["local"]
    for hook in repos[0]["hooks"]:
        folder, tool = hook["entry"].split()[0].rsplit("/", 1)
        assert (hook["language"], folder) == ("system", ".venv/bin")
        assert tool in installed
