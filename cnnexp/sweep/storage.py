"""Where a study lives: a journal file, or a database that many machines reach; and a lock over either."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from sqlalchemy import text
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, ProgrammingError, SQLAlchemyError

from cnnexp.errors import InputError
from cnnexp.runs.write import disk_error
from cnnexp.sweep.journal import journal_backend

JOURNAL = "study.journal"
SCHEMES = ("postgresql", "mysql", "sqlite")
CONNECT_WITHIN_S = 10
LOCK_WITHIN_S = 120
KEEPALIVE = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
"""So a machine that went off lets go of its lock after a minute; PostgreSQL itself would wait for hours."""
TRIES = 5

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
logging.getLogger("alembic").setLevel(logging.ERROR)


class StudyStorage:
    """An Optuna storage, and a lock that all controllers of a study share.

    Args:
        given: None for a journal in the sweep's folder, the path of a journal, or a database's URL.
        folder: the sweep's.

    Raises:
        InputError: it cannot be reached or read; there is no driver for it.
    """

    def __init__(self, given: str | None, folder: Path) -> None:
        self._url = given if given is not None and is_url(given) else None
        self._journal = folder / JOURNAL if given is None else Path(given)
        self.name = without_password(given) if given is not None else str(self._journal)
        self.optuna: BaseStorage = self._database(self._url) if self._url else self._file()

    def _file(self) -> JournalStorage:
        try:
            return JournalStorage(journal_backend(self._journal))
        except OSError as error:
            raise disk_error(error, self._journal.parent, "sweep.storage=FILE") from error
        except (ValueError, KeyError) as error:
            raise InputError(f"{self.name}: not a journal that can be read ({_first_line(error)})") from error

    def _database(self, url: str) -> RDBStorage:
        try:
            return _opened(url)
        except (ImportError, NoSuchModuleError) as error:
            brought = "pip install 'cnnexp[postgresql]'" if url.startswith("postgres") else _OTHER_DRIVERS
            raise InputError(f"sweep.storage={self.name}: there is no driver for it; {brought}") from error
        except ArgumentError as error:
            raise InputError(f"sweep.storage={self.name}: not a database's URL; {_EXAMPLE}") from error
        except (SQLAlchemyError, RuntimeError, OSError) as error:
            raise self.unreachable(error) from error

    def unreachable(self, error: Exception) -> InputError:
        """The one line for a database that does not answer."""
        reason = _first_line(error.__cause__ or error)
        return InputError(
            f"sweep.storage={self.name}: it cannot be reached ({reason}); check that it runs, and its name"
        )

    @contextmanager
    def locked(self, study: str) -> Iterator[None]:
        """One controller at a time, on whatever machine; the lock ends with its owner, however that ends."""
        if isinstance(self.optuna, RDBStorage) and not str(self._url).startswith("sqlite"):
            with self._database_lock(study):
                yield
            return
        path = self._journal if self._url is None else Path(str(self._url).partition(":///")[2])
        handle = os.open(path.with_name(f"{path.name}.study.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def _database_lock(self, study: str) -> Iterator[None]:
        assert isinstance(self.optuna, RDBStorage)
        number = int.from_bytes(hashlib.sha256(study.encode()).digest()[:7], "big")
        with self.optuna.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SET lock_timeout = '{LOCK_WITHIN_S}s'"))
                connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": number})
                release = "SELECT pg_advisory_unlock(:number)"
            else:
                connection.execute(
                    text("SELECT GET_LOCK(:number, :wait)"), {"number": str(number), "wait": LOCK_WITHIN_S}
                )
                release = "SELECT RELEASE_LOCK(:number)"
            try:
                yield
            finally:
                connection.execute(text(release), {"number": number if "pg_" in release else str(number)})


_OTHER_DRIVERS = "install one and name it: pip install pymysql, then mysql+pymysql://user@host/database"
_EXAMPLE = "for example postgresql://user@host/database, or a file: study.journal"


def _opened(url: str) -> RDBStorage:
    """The storage, with its tables made where there are none; two that make them at once are in each other's way."""
    for attempt in range(1, TRIES + 1):
        try:
            return RDBStorage(with_driver(url), engine_kwargs=_engine_options(url))
        except (IntegrityError, ProgrammingError):
            if attempt == TRIES:
                raise
            time.sleep(0.5 * attempt)
    raise AssertionError("the last attempt raises")


def is_url(given: str) -> bool:
    return "://" in given


def with_driver(url: str) -> str:
    """The URL with psycopg for PostgreSQL: which driver a bare ``postgresql://`` means differs between versions."""
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)


def without_password(given: str) -> str:
    """The URL as it may be shown and written down."""
    return re.sub(r"(://[^:/@]*):[^@/]*@", r"\1@", given)


def checked_storage(given: str | None) -> str | None:
    """The storage as it is found from every folder.

    Raises:
        InputError: it is the URL of no database that is known here.
    """
    if given is None:
        return None
    if not is_url(given):
        path = Path(given).expanduser().absolute()
        if path.is_dir():
            raise InputError(
                f"sweep.storage={given}: this is a folder; name a file in it, such as {given}/study.journal"
            )
        return str(path)
    scheme = given.split("://", 1)[0].split("+")[0]
    if scheme not in (*SCHEMES, "postgres"):
        raise InputError(f"sweep.storage={without_password(given)}: expected one of {', '.join(SCHEMES)}, or a file")
    return given


def _engine_options(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {}
    arguments: dict[str, Any] = {"connect_timeout": CONNECT_WITHIN_S}
    if url.startswith("postgres"):
        arguments["options"] = KEEPALIVE
    return {"pool_pre_ping": True, "connect_args": arguments}


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = without_password(lines[0]) if lines else type(error).__name__
    return text.removeprefix("(psycopg.OperationalError) ")
