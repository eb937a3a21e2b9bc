"""The answer of a database, kept: a run must not depend on when it asked."""

import hashlib
import json
import os
from datetime import datetime
from pathlib import Path

from filelock import FileLock

from fulmen.errors import FulmenError
from fulmen.utils.files import atomic_write, write_json


def snapshot(database: str, query: str, which: str | None, folder: Path) -> Path:
    """A CSV of the rows that `query` gave; its name is its id, a hash of its content.

    Args:
        database: an SQLAlchemy URL such as sqlite:///plant.db, or $NAME for one in the environment (passwords).
        query: an SQL SELECT.
        which: None: the latest snapshot of this question, taken now if there is none; "new": taken now; or an id.
        folder: where snapshots are kept, with one journal for each question.

    Raises:
        FulmenError: no such snapshot, or the database does not answer.
    """
    question = hashlib.sha256(json.dumps([database, query]).encode()).hexdigest()[:12]
    journal = folder / f"{question}.json"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(journal.with_suffix(".lock")):
        known = json.loads(journal.read_text()) if journal.exists() else []
        if which not in (None, "new") and which not in [each["id"] for each in known]:
            there = ", ".join(each["id"] for each in known) or "none yet"
            raise FulmenError(f"snapshot: there is no {which} of this query; there is {there}")
        if which == "new" or not known:
            text = _ask(database, query)
            taken = hashlib.sha256(text.encode()).hexdigest()[:12]
            with atomic_write(folder / f"{taken}.csv") as file:
                file.write(text)
            known.append({"id": taken, "time": datetime.now().astimezone().isoformat(timespec="seconds")})
            write_json(journal, known)
        chosen = known[-1]["id"] if which in (None, "new") else which
    return folder / f"{chosen}.csv"


def _ask(database: str, query: str) -> str:
    import pandas
    import sqlalchemy

    url = os.environ.get(database[1:], "") if database.startswith("$") else database
    if not url:
        raise FulmenError(f"database: the environment has no {database}")
    try:
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as connection:
            rows = connection.execute(sqlalchemy.text(query))
            return pandas.DataFrame(rows.fetchall(), columns=list(rows.keys())).to_csv(index=False)
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise FulmenError(f"database: no answer: {reason}") from error
