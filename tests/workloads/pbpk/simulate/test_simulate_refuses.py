"""What a table of subjects may not be: one line with file, line and column, and nothing is written."""

import pytest

from fulmen.cli import main
from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulate.subjects import subjects_of
from fulmen.workloads.pbpk.simulate.table import read_table
from fulmen.workloads.pbpk.simulate.words import asked_for, read_words

GOOD = {
    "subject": "one", "age_y": "40", "sex": "female", "weight_kg": "70", "compound": "drug", "log_p": "2",
    "kind": "base", "pka": "8", "fraction_unbound": "0.2", "blood_plasma_ratio": "0.9", "clint_l_per_h": "30",
    "renal_clearance_l_per_h": "1", "km_mg_per_l": "", "route": "oral", "dose_mg": "100", "infusion_h": "",
    "n_doses": "2", "interval_h": "12", "bioavailability": "0.8", "absorption_rate_per_h": "1",
}  # fmt: skip


def table(tmp_path, **changed):
    """A table with a comment, a header, a good row and one in which some cells were changed, which is line 4."""
    good = GOOD | {name: "" for name in changed if name not in GOOD}
    rows = [good, good | {"subject": "two"} | changed]
    path = tmp_path / "people.csv"
    lines = ["# made by a test", ",".join(good), *(",".join(row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_table_that_all_others_change_is_good(tmp_path):
    assert len(subjects_of(read_table(table(tmp_path)))) == 2


@pytest.mark.parametrize(
    ("changed", "column", "said"),
    [
        ({"dose_mg": "-5"}, "dose_mg", "-5; it must be above 0"),
        ({"dose_mg": "nan"}, "dose_mg", "'nan' is no number; leave the cell empty"),
        ({"dose_mg": "inf"}, "dose_mg", "'inf' is no number"),
        ({"dose_mg": "1_000"}, "dose_mg", "'1_000' is no number"),
        ({"dose_mg": ""}, "dose_mg", "it is missing"),
        ({"dose_mg": "100 mg"}, "dose_mg", "'100 mg' is no number"),
        ({"fraction_unbound": "1.2"}, "fraction_unbound", "1.2; it must be above 0 to 1"),
        ({"fraction_unbound": ""}, "fraction_unbound", "it is missing"),
        ({"gut_extraction": "1"}, "gut_extraction", "1; it must be 0 to 0.999"),
        ({"blood_plasma_ratio": "0.01"}, "blood_plasma_ratio", "0.01; it must be 0.1 to 1000"),
        ({"bioavailability": "80"}, "bioavailability", "80; it must be above 0 to 1"),
        ({"route": ""}, "route", "every row needs one; there is bolus, infusion, oral"),
        ({"route": "orally"}, "route", "there is no route 'orally'; did you mean oral?"),
        ({"sex": "f"}, "sex", "there is no sex 'f'; there is male, female"),
        ({"kind": "basic"}, "kind", "there is no kind 'basic'; did you mean base?"),
        ({"kind": ""}, "kind", "a pka needs one; there is acid, base, neutral, zwitterion"),
        ({"pka": ""}, "pka", "the kind base needs one"),
        ({"kind": "neutral"}, "pka", "a neutral drug has none"),
        ({"kind": "zwitterion"}, "pka_acid", "a zwitterion needs it"),
        ({"pka_acid": "4"}, "pka_acid", "it belongs to a zwitterion"),
        ({"log_p": "", "kind": "", "pka": ""}, "log_p", "a drug needs log_p, kind and pka, or a kp_ of every organ"),
        ({"log_p": "", "kp_liver": "2"}, "kp_kidney", "it is missing; give a kp of every organ"),
        ({"kp_liver": "-2"}, "kp_liver", "-2; it must be above 0"),
        ({"age_y": "0.5", "weight_kg": ""}, "age_y", "0.5; it must be 1 to 80"),
        ({"weight_kg": "500"}, "weight_kg", "500; a female body of 40 years has"),
        ({"weight_kg": "0"}, "weight_kg", "0; it must be above 0"),
        ({"infusion_h": "1"}, "infusion_h", "a dose by the route oral takes no time"),
        ({"route": "infusion", "bioavailability": "", "absorption_rate_per_h": ""}, "infusion_h", "needs its hours"),
        ({"route": "bolus", "absorption_rate_per_h": ""}, "bioavailability", "it belongs to an oral dose"),
        ({"n_doses": "2.5"}, "n_doses", "2.5; it must be a whole number, 1 to 1000"),
        ({"interval_h": ""}, "interval_h", "doses that repeat need one"),
        ({"clint_l_per_h": "", "renal_clearance_l_per_h": ""}, "clint_l_per_h", "a drug needs a clearance"),
        ({"renal_clint_l_per_h": "3"}, "renal_clearance_l_per_h", "renal_clint_l_per_h says the same"),
        ({"clint_l_per_h": "", "hepatic_clearance_l_per_h": "200"}, "hepatic_clearance_l_per_h", "222 L/h of blood"),
        ({"subject": "one"}, "subject", "line 3 is of the subject 'one' and the same compound too"),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_is_told_by_its_line_and_column(changed, column, said, tmp_path):
    path = table(tmp_path, **changed)
    with pytest.raises(FulmenError) as error:
        subjects_of(read_table(path))
    assert str(error.value).startswith(f"{path}, line 4, column {column}: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


HEAD = "log_p,fraction_unbound,clint_l_per_h,route,dose_mg"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty; `fulmen pbpk simulate --example"),
        (b"\n# nothing\n", "is empty"),
        (f"{HEAD}\n".encode(), "has a header and no row below it"),
        (f"{HEAD},dose_mg\n1,1,1,oral,1,1\n".encode(), "the column 'dose_mg' stands in it twice"),
        (f"{HEAD},\n1,1,1,oral,1,1\n".encode(), "a column has no name"),
        (f"{HEAD},wieght_kg\n1,1,1,oral,1,70\n".encode(), "no column is called 'wieght_kg'; did you mean weight_kg?"),
        (f"{HEAD},kp_blood\n1,1,1,oral,1,1\n".encode(), "kp_blood is called blood_plasma_ratio"),
        (f"{HEAD}\n1,1,1,oral,1\n1,1,1,oral\n".encode(), "line 3: it has 4 cells, and the header 5"),
        (f'{HEAD}\n1,1,1,"oral,1\n'.encode(), "line 2: it is no CSV"),
        (f"subject,{HEAD}\nok,1,1,1,oral,1\nJos\xe9,1,1,1,oral,1\n".encode("latin-1"), "line 3: its letters are in no"),
        (b"%PDF-1.7\nstream", "is a PDF"),
        (b"PK\3\4\0\0\0\0", "cannot be read: the packed file is damaged"),
        (b"PAR1" + bytes(99), "is a Parquet table; save it as CSV UTF-8"),
        (HEAD.replace(",", ";").encode() + b"\n1,5;1.5;1;oral;1\n", "has a decimal comma and line 2, column fraction"),
        (HEAD.replace(",", ";").encode() + b"\n1;1;1;oral;1.500\n", "say --decimal comma or --decimal point"),
        (HEAD.replace(",", ";").encode() + b"\n1;1;1;oral;1,500\n", "say --decimal comma or --decimal point"),
        (f"{HEAD}\n".replace("dose_mg", "dose_g").encode() + b"1,1,1,oral,1\n",
         "the column dose_g is in g; call it dose_mg and give its numbers * 1000"),
        (f"{HEAD},weight_lb\n1,1,1,oral,1,150\n".encode(), "weight_lb is in lb; call it weight_kg"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_of_subjects_is_refused(content, said, tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    with pytest.raises(FulmenError) as error:
        subjects_of(read_table(path))
    assert str(error.value).startswith(str(path)) or str(path) in str(error.value)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--times", "1,0.5"], "0.5 is not after 1; they have to increase"),
        (["--times", "-1,2"], "-1 is no time"),
        (["--times", "1,nan"], "nan is no time"),
        (["--times", "1,two"], "'two' is no number"),
        (["--organs", "plasma,livr"], "there is no output 'livr'; did you mean liver?"),
        (["--organs", "liver,liver"], "liver stands there twice"),
        (["--to", "people.csv"], "that is the table itself"),
        (["--too", "people.csv"], "unrecognized arguments"),
    ],
)
def test_words_that_cannot_be_are_refused(words, said):
    with pytest.raises(FulmenError) as error:
        asked_for(read_words(["people.csv", *(words if words[0] != "--times" else ["=".join(words)])]))
    assert said in str(error.value)


@pytest.mark.parametrize("text", ["utf-8-sig", "utf-16"])
def test_what_spreadsheets_write_is_read(text, tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(f"subject;{HEAD.replace(',', ';')}\r\nJosé;1;1;1;oral;1\r\n".encode(text))
    assert subjects_of(read_table(path)).name == ["José"]


def test_the_command_tells_it_in_one_line_and_writes_nothing(tmp_path, capsys):
    path, to = table(tmp_path, dose_mg="-5"), tmp_path / "curves.csv"
    assert main(["pbpk", "simulate", str(path), "--to", str(to)]) == 2
    assert capsys.readouterr().err == f"error: {path}, line 4, column dose_mg: -5; it must be above 0\n"
    assert [each.name for each in tmp_path.iterdir()] == ["people.csv"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "simulate what?"),
        (["nowhere.csv"], "there is no file nowhere.csv; `fulmen pbpk simulate --example nowhere.csv` writes one"),
        (["people.csv", "data.population=wide"], "data.population: simulate takes no settings of a training"),
        (["people.csv", "--to", "."], "--to .: that is a folder; name a file in it"),
        (["people.csv", "--to", "people.csv/curves.csv"], "cannot write people.csv/curves.csv"),
        (["--example", "people.csv"], "people.csv is there already"),
    ],
)
def test_what_the_command_cannot_do_is_refused(words, said, tmp_path, monkeypatch, capsys):
    table(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["pbpk", "simulate", *words]) == 2
    assert said in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["people.csv"]


def test_a_column_that_nobody_reads_is_warned_of(tmp_path, capsys):
    path = table(tmp_path, remarks="none")
    assert main(["pbpk", "simulate", str(path), "--organs", "plasma", "--times", "1"]) == 0
    assert capsys.readouterr().err == f"warning: {path}: not read: remarks\n"
