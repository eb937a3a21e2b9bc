"""A stranger's table is read as it stands, whatever it is packed in, or refused in one line with its place."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import shlex
import sqlite3
import zipfile
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from fulmen.errors import FulmenError
from fulmen.io.options import TableOptions
from fulmen.io.tables import read_table

NAMES = ["time", "lux", "temp"]
ROWS = [["2024-01-31T00:00", "1.5", "20"], ["2024-01-31T01:00", "2.25", "21.5"], ["2024-01-31T02:00", "3", "-4e-3"]]


def text(delimiter=",", end="\n", names=NAMES, rows=ROWS):
    return end.join([delimiter.join(row) for row in ([names] if names else []) + rows]) + end


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def excel(rows, **sheets):
    file = io.BytesIO()
    with pd.ExcelWriter(file, engine="openpyxl") as writer:
        for name, each in {"data": rows, **sheets}.items():
            pd.DataFrame(each).to_excel(writer, sheet_name=name, header=False, index=False)
    return file.getvalue()


PLAIN = text().encode()
READ = {  # name -> bytes, all of them the same table
    "plain": PLAIN,
    "windows line ends": text(end="\r\n").encode(),
    "old mac line ends": text(end="\r").encode(),
    "no line end at the end": PLAIN.rstrip(),
    "semicolon": text(";").encode(),
    "tab": text("\t").encode(),
    "bar": text("|").encode(),
    "blanks": text("  ").encode(),
    "blanks at both ends": "\n".join(f"  {line}   " for line in text("   ").splitlines()).encode(),
    "blanks behind commas": text(", ").encode(),
    "quoted": text(names=[f'"{name}"' for name in NAMES], rows=[[f'"{c}"' for c in row] for row in ROWS]).encode(),
    "a delimiter at each end": "\n".join(f"{line}," for line in text().splitlines()).encode(),
    "a delimiter at the end of rows alone": "\n".join([",".join(NAMES), *(f"{','.join(r)}," for r in ROWS)]).encode(),
    "empty lines at the end": PLAIN + b"\n\n,,\n",
    "an empty line in the middle": PLAIN.replace(b"21.5\n", b"21.5\n\n"),
    "the end of a DOS file": PLAIN + b"\x1a",
    "BOM": b"\xef\xbb\xbf" + PLAIN,
    "UTF-16": text().encode("utf-16"),
    "UTF-16 without a mark": text().encode("utf-16-le"),
    "UTF-16, high byte first": b"\xfe\xff" + text().encode("utf-16-be"),
    "UTF-32": text().encode("utf-32"),
    "gzip": gzip.compress(PLAIN),
    "bzip2": bz2.compress(PLAIN),
    "xz": lzma.compress(PLAIN),
    "zip": zipped(**{"a.csv": PLAIN}),
    "zip with rubbish of a Mac": zipped(**{"a.csv": PLAIN, "__MACOSX/._a.csv": b"x"}),
    "gzip of UTF-16": gzip.compress(text(";").encode("utf-16")),
    "titles above": b"Plant 7\nexported 2024-02-01\n\n" + PLAIN,
    "comments above": b"# made by a logger\n# in 2024\n" + PLAIN,
    "the names in a comment": b"# logger 7\n# " + PLAIN,
    "the delimiter told for Excel": b"sep=;\n" + text(";").encode(),
    "comments below": PLAIN + b"# end\n# of the file\n",
    "a line of units": text(rows=[["", "lx", "C"], *ROWS]).encode(),
    "the names again in the middle": PLAIN * 2,
    "a workbook": excel([NAMES, *ROWS]),
    "a workbook with a title and an empty column": excel(
        [["Plant 7"], [None], [None, *NAMES], *([None, *r] for r in ROWS)]
    ),
    "a workbook with an empty first sheet": excel([], later=[NAMES, *ROWS]),
}


@pytest.mark.parametrize("kind", READ)
def test_a_table_is_read_whatever_it_is_packed_in(tmp_path, kind):
    path = tmp_path / "table"
    path.write_bytes(READ[kind])
    table = read_table(path)
    times = 2 if kind == "the names again in the middle" else 1
    assert list(table.frame.columns) == NAMES
    assert [[str(cell).strip() for cell in row] for row in table.frame.to_numpy()] == ROWS * times


def test_parquet_keeps_its_types_and_gives_its_index_as_a_column(tmp_path):
    frame = pd.DataFrame({"lux": [1.5, 2.0]}, index=pd.Index(pd.to_datetime(["2024-01-01", "2024-01-02"]), name="Date"))
    frame.to_parquet(tmp_path / "table")  # the name has no ending: the content says what it is
    table = read_table(tmp_path / "table")
    assert list(table.frame.columns) == ["Date", "lux"]
    assert table.frame["Date"].dtype.kind == "M"
    assert table.line.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (PLAIN, [2, 3, 4]),
        (b"# a\nTitle\n" + PLAIN, [4, 5, 6]),
        (PLAIN.replace(b"20\n", b"20\n\n"), [2, 4, 5]),
        (text(rows=[["", "lx", "C"], *ROWS]).encode(), [3, 4, 5]),
        (b'time,note\n1,"a\nb"\n2,c\n3,d\n', [2, 4, 5]),
    ],
)
def test_a_row_has_the_number_of_its_line_in_the_file(tmp_path, content, lines):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert read_table(path).line.tolist() == lines


def test_names_of_other_scripts_and_of_western_europe(tmp_path):
    for encoding, name in (
        ("cp1252", "Größe"),
        ("latin-1", "température"),
        ("cp1251", "температура"),
        ("utf-8", "温度"),
    ):
        path = tmp_path / "t.csv"
        path.write_bytes(f"zeit,{name}\n1,2\n3,4\n".encode(encoding))
        assert list(read_table(path).frame.columns) == ["zeit", name], encoding


def test_a_byte_that_is_no_utf8_far_down_is_found(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b"1,x\n" * 600_000 + "2,Größe\n".encode("cp1252"))
    assert read_table(path).frame["b"].iloc[-1] == "Größe"


DECIMAL_COMMAS = {
    "semicolon": "a;b\n1,5;2,25\n0,5;3,75\n",
    "tab": "a\tb\n1,5\t2,25\n0,5\t3,75\n",
    "blanks": "a b\n1,5 2,25\n0,5 3,75\n",
    "quoted": 'a,b\n"1,5","2,25"\n"0,5","3,75"\n',
}


@pytest.mark.parametrize("kind", DECIMAL_COMMAS)
def test_decimal_commas_stay_whole(tmp_path, kind):
    path = tmp_path / "t.csv"
    path.write_text(DECIMAL_COMMAS[kind])
    assert read_table(path).frame.to_numpy().tolist() == [["1,5", "2,25"], ["0,5", "3,75"]]


REFUSED = {  # name -> (bytes, what the message has to hold)
    "empty": (b"", "the file is empty"),
    "blank": (b" \n\n", "the file is empty"),
    "a mark and nothing else": (b"\xef\xbb\xbf\n", "the file is empty"),
    "header only": (b"a,b,c\n", "no row below the header"),
    "a row too long": (PLAIN.replace(b"21.5", b"21.5,7"), "line 3: 4 values for the 3 columns"),
    "a row too short": (PLAIN.replace(b"2.25,21.5", b"2.25"), "line 3: 2 values for the 3 columns"),
    "a row far too long": (PLAIN.replace(b"21.5", b"21.5,7,8,9"), "line 3: 6 values for the 3 columns"),
    "decimal commas between commas": (b"a,b\n1,5,2,5\n0,5,3,5\n2,5,3,5\n", "line 2: 4 values"),
    "a decimal comma between commas": (b"a,b\n1,2\n1,2\n1,2\n1,2\n3,1,5\n", "line 6: 3 values"),
    "control character": (PLAIN.replace(b"2.25", b"2.\x0025"), "line 3, character 20: a control character"),
    "binary": (bytes(range(256)) * 20, "control character"),
    "half of a gzip": (gzip.compress(PLAIN * 50)[:-20], "damaged"),
    "an archive of two": (zipped(**{"a.csv": PLAIN, "b.csv": PLAIN}), "an archive of a.csv, b.csv"),
    "a damaged workbook": (excel([NAMES, *ROWS])[:-400], "cannot be read"),
    "a damaged Parquet file": (b"PAR1" + b"\0" * 40 + b"PAR1", "cannot be read"),
    "a pickle": (pickle.dumps({"a": [1]}), "a pickle"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Excel"),
    "a web page": (b"<!DOCTYPE html><html>not found</html>", "web page"),
    "JSON": (b'[{"a": 1}, {"a": 2}]', "is JSON"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"\0" * 60, "picture"),
    "NumPy": (b"\x93NUMPY\x01\x00v", "NumPy"),
    "SQLite": (b"SQLite format 3\x00" + b"\0" * 80, "an SQLite database; it holds no table"),
    "an endless cell": (b"a,b\n1," + b"x" * 200_000 + b"\n", "field larger than field limit"),
    "a quotation mark that is not closed": (PLAIN + b'2024-02-01,"3,4\n2024-02-02,3,4\n', "line 5: a quotation mark"),
    "on its side": ("\n".join(",".join(c) for c in zip(NAMES, *ROWS, strict=True)).encode(), "lies on its side"),
    "HDF5": (b"\x89HDF\r\n\x1a\n", "HDF5"),
    "thousands between commas": (b"lux,temp\n1,500,20\n1,501,21\n1,502,22\n", "line 2: 3 values for the 2 columns"),
    "a decimal comma behind dates": (
        b"date,lux,temp\n2024-01-01,1,5,20\n2024-01-02,2,5,21\n", "line 2: 4 values for the 3 columns"),
    "a date and a time between blanks": (
        b"date lux temp\n2024-01-01 10:00 1 2\n2024-01-02 10:00 1 3\n", "line 2: 4 values for the 3 columns"),
    "one endless line": (b"a,b\n" + b"1," * 3_000_000, "line 2: more than 1,048,576 characters"),
    "two columns, no names": (text(names=None).encode(), "data.header=[c1,c2,c3]"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_table_is_refused_in_one_line_that_names_the_file(tmp_path, kind):
    content, said = REFUSED[kind]
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(FulmenError) as caught:
        read_table(path, needed=NAMES if kind == "on its side" else ())
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_and_a_name_without_a_file_are_told_apart(tmp_path):
    with pytest.raises(FulmenError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(FulmenError, match="csv: there is no file"):
        read_table(tmp_path / "x.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(PLAIN)
    path.chmod(0)
    with pytest.raises(FulmenError, match="Permission denied"):
        read_table(path)


def typed(message):
    """The options in the last override of a message, as Hydra reads what a shell makes of it."""
    word = shlex.split(message.partition("number them: ")[2])[0]
    override = OverridesParser.create().parse_override(word)
    return {override.key_or_group.removeprefix("data."): override.value()}


def test_the_override_for_a_file_without_names_works_when_typed(tmp_path):
    for content in (text(names=None).encode(), text(" ", names=None).encode(), excel(ROWS)):
        path = tmp_path / "t"
        path.write_bytes(content)
        with pytest.raises(FulmenError) as caught:
            read_table(path)
        table = read_table(path, TableOptions(**typed(str(caught.value))))
        assert table.frame.shape == (3, 3)
        assert list(table.frame.columns) == ["c1", "c2", "c3"]


def test_names_that_are_wanted_find_the_header_below_a_title_of_the_same_width(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("plant,7,north\n" + text())
    assert list(read_table(path, needed=["time", "temp"]).frame.columns) == NAMES


def test_names_that_are_numbers_are_names(tmp_path):
    path = tmp_path / "t.csv"
    pd.DataFrame(np.arange(12.0).reshape(3, 4)).to_csv(path, index=False)
    assert list(read_table(path).frame.columns) == ["0", "1", "2", "3"]


def test_a_table_of_r_has_a_first_column_without_a_name(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text('"lux" "temp"\n"1" 1.5 20\n"2" 2.5 21\n"3" 2.5 22\n')
    table = read_table(path)
    assert list(table.frame.columns) == ["", "lux", "temp"]
    assert table.frame["temp"].tolist() == ["20", "21", "22"]


def test_lines_that_were_left_out_are_told(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(PLAIN + b"\n" + PLAIN + b"# the end\n")
    assert read_table(path).dropped == ["the header again in line 6", "1 empty line", "1 line of comment"]


def test_what_was_decided_is_told_with_its_override(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(gzip.compress(b"Plant 7\n" + text(";", names=["Zeit", "Größe", "C"]).encode("cp1252")))
    assert list(map(str, read_table(path).guesses)) == [
        "packed with gzip",
        "text in cp1252 (data.encoding=cp1252)",
        "columns divided by semicolon (data.delimiter=semicolon)",
        "a title above the names",
    ]


@pytest.mark.parametrize("lines", [False, True])
def test_the_call_that_makes_a_table_of_json_works(tmp_path, lines, monkeypatch):
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
    frame.to_json(tmp_path / "it's.json", orient="records", lines=lines)
    with pytest.raises(FulmenError) as caught:
        read_table(tmp_path / "it's.json")
    *_, code = shlex.split(str(caught.value).partition("of it: ")[2])
    exec(code)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "it's.csv"), frame)


def test_a_wide_table_without_names_is_numbered(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(30, 40)).round(3))
    frame = frame.where(rng.random(frame.shape) > 0.1)
    frame.to_csv(tmp_path / "t.data", sep=" ", header=False, index=False, na_rep="NaN")
    with pytest.raises(FulmenError, match=r"data\.header=numbered$") as caught:
        read_table(tmp_path / "t.data")
    table = read_table(tmp_path / "t.data", TableOptions(**typed(str(caught.value))))
    assert list(table.frame.columns) == [f"c{i}" for i in range(1, 41)]
    np.testing.assert_array_equal(table.frame.astype(float).to_numpy(), frame.to_numpy())


def run_python(message):
    *_, code = shlex.split(message[message.index("python -c ") :])
    exec(code)


def test_the_call_that_turns_a_table_upright_works(tmp_path):
    path = tmp_path / "t.csv"
    pd.DataFrame([NAMES, *ROWS]).T.to_csv(path, index=False, header=False)
    with pytest.raises(FulmenError) as caught:
        read_table(path, needed=NAMES)
    run_python(str(caught.value))
    assert read_table(tmp_path / "t_upright.csv", needed=NAMES).frame.to_numpy().tolist() == ROWS


def test_the_call_that_writes_a_table_of_a_database_works(tmp_path):
    path = tmp_path / "plant.db"
    with closing(sqlite3.connect(path)) as database:
        pd.DataFrame(ROWS, columns=NAMES).to_sql("readings", database, index=False)
        database.commit()
    with pytest.raises(FulmenError) as caught:
        read_table(path)
    run_python(str(caught.value))
    assert read_table(tmp_path / "plant.csv").frame.to_numpy().tolist() == ROWS


def test_a_wide_encoding_without_its_mark_is_refused_in_one_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(text())
    for encoding in ("utf-16", "utf-32"):
        with pytest.raises(FulmenError) as refused:
            read_table(path, TableOptions(encoding=encoding))
        assert str(refused.value) == f"{path} is no text in {encoding}: data.encoding=auto finds out"


def test_a_delimiter_that_divides_no_line_is_answered_with_the_one_that_does(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(text())
    with pytest.raises(FulmenError, match=r"no line is divided by semicolon; data[.]delimiter=comma divides them"):
        read_table(path, TableOptions(delimiter="semicolon"))
    path.write_text("preis\n1,5\n2,5\n3,5\n")
    assert list(read_table(path, TableOptions(delimiter="semicolon")).frame.columns) == ["preis"]


def test_a_sheet_without_rows_names_the_other_sheets_of_its_workbook(tmp_path):
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path) as writer:
        pd.DataFrame({"note": []}).to_excel(writer, sheet_name="readme", index=False)
        pd.DataFrame({"a": [1, 2], "b": [3, 4]}).to_excel(writer, sheet_name="data", index=False)
    with pytest.raises(FulmenError, match=r"sheet readme of readme, data; for another one: data\.sheet=data"):
        read_table(path)
    assert len(read_table(path, TableOptions(sheet="data")).frame) == 2
