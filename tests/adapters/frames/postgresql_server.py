"""A PostgreSQL server on a socket in a folder of its own, for as long as it is asked."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adbc_driver_postgresql import dbapi

SWITCHES = ("listen_addresses=", "fsync=off", "full_page_writes=off", "shared_buffers=64MB", "max_connections=20")


class Server:
    """A PostgreSQL server on a socket in a folder of its own; its texts sort as in English, not by their bytes."""

    def __init__(self, binaries: Path, folder: Path, user: str | None) -> None:
        self.folder = folder
        run: dict[str, Any] = {"cwd": folder, "env": {"LC_ALL": "C", "PATH": os.environ["PATH"]}}
        run |= {"user": user, "extra_groups": []} if user else {}
        made = [binaries / "initdb", "-D", folder / "data", "-A", "trust", "-U", "shiplap", "--no-sync", "-E", "UTF8"]
        english = ["--locale-provider=icu", "--icu-locale=en", "--locale=C.UTF-8"]
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if subprocess.run([*made, *english], check=False, **run, **quiet).returncode:
            shutil.rmtree(folder / "data", ignore_errors=True)
            subprocess.run([*made, "--locale=C"], check=True, **run, **quiet)
        switches = [part for switch in SWITCHES for part in ("-c", switch)]
        self._process = subprocess.Popen(
            [binaries / "postgres", "-D", folder / "data", "-k", folder, *switches], **run, **quiet
        )
        for _ in range(150):
            if not subprocess.run([binaries / "pg_isready", "-q", "-h", folder], check=False).returncode:
                return
            time.sleep(0.1)
        self.stop()
        raise RuntimeError("the PostgreSQL server does not start")

    def url(self, inner: str = "", user: str = "shiplap", **options: str) -> str:
        more = "".join(f"&{name}={value}" for name, value in options.items())
        return f"postgresql://{user}@/postgres?host={self.folder}{more}{inner and '::' + inner}"

    def run(self, *statements: str) -> None:
        with dbapi.connect(self.url(), autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with dbapi.connect(self.url(), autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def load(self, name: str, rows: Any) -> None:
        """Load an Arrow table as a table of the database."""
        with dbapi.connect(self.url()) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest(name, rows, mode="replace")
            connection.commit()

    def stop(self) -> None:
        self._process.send_signal(2)  # fast: do not wait for those who are connected
        self._process.wait(30)


@contextmanager
def serving() -> Iterator[Server | None]:
    """Start a server and stop it; None where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders or not (folders[-1] / "postgres").exists():
        yield None
        return
    user = None
    if os.getuid() == 0:  # which the server refuses to run as
        user = next((name for name in ("postgres", "nobody") if name in {one.pw_name for one in pwd.getpwall()}), None)
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a short name: that of a socket may have 107 characters
    try:
        if user:
            shutil.chown(folder, user)
        server = Server(folders[-1], folder, user)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
