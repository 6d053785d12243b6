"""Where a question comes from: a file with keyword arguments, or a folder with ``shiplap.toml``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from shiplap.core.brief import Brief, ColumnBrief, read_brief
from shiplap.core.errors import BriefError

__all__ = ["Project", "locate"]


@dataclass(frozen=True)
class Project:
    """A question, the rows it is asked of, and the folder its answers go to.

    Parameters
    ----------
    source : Any
        What `shiplap.read` takes: path, glob, query or object.
    brief : Brief
        The question, named.
    folder : Path
        Where relative file names start, and where the store lies.
    page : str
        File name of the report page.
    """

    source: Any
    brief: Brief
    folder: Path
    page: str

    @property
    def ship(self) -> str:
        """File name of the ship."""
        return f"{self.brief.name}.ship"

    @property
    def columns(self) -> dict[str, ColumnBrief]:
        """What the brief says of single columns, its lists of private and identifying columns merged in."""
        known = dict(self.brief.columns)
        for name in self.brief.private:
            known[name] = msgspec.structs.replace(known.get(name, ColumnBrief()), private=True)
        for name in self.brief.id:
            known[name] = msgspec.structs.replace(known.get(name, ColumnBrief()), kind="id")
        return known


def locate(source: Any = None, *, brief: Brief | None = None, **question: Any) -> Project:
    """Work out what was meant: a project folder, a file, or an object with rows.

    Parameters
    ----------
    source : path, str or table-like, optional
        A folder with ``shiplap.toml`` (the working folder when left out), or rows.
    brief : Brief, optional
        The question; `question` is merged over it.
    **question
        Fields of a `Brief`.

    Raises
    ------
    BriefError
        There is neither rows nor a brief, or a field of the brief is wrong.

    Examples
    --------
    >>> locate("rows/churn.csv", target="churned").ship
    'churn.ship'
    """
    folder = Path.cwd() if source is None else Path(source) if isinstance(source, str | Path) else None
    if folder is not None and (folder.is_dir() or folder.name == "shiplap.toml"):
        return _from_folder(folder if folder.is_dir() else folder.parent, brief, question)
    asked = brief.replaced(**question) if brief is not None else Brief.make(**question)
    name = asked.name or _name_of(source)
    return Project(source=source, brief=asked.replaced(name=name), folder=Path.cwd(), page=f"{name}.html")


def _from_folder(folder: Path, brief: Brief | None, question: dict[str, Any]) -> Project:
    asked = (brief or read_brief(folder)).replaced(**question)
    if not asked.table:
        raise BriefError(f"the brief in '{folder}' names no table", hint='add a line such as table = "rows.csv"')
    name = asked.name or _slug(folder.resolve().name)
    return Project(source=asked.table, brief=asked.replaced(name=name), folder=folder, page="report.html")


def _name_of(source: Any) -> str:
    if isinstance(source, str | Path) and not re.match(r"\s*(select|with|from)\s", str(source), re.IGNORECASE):
        return _slug(Path(str(source).partition("::")[0]).name.split(".")[0])
    return _slug(getattr(source, "name", "")) if isinstance(getattr(source, "name", None), str) else "model"


def _slug(text: str) -> str:
    return re.sub(r"[^\w-]+", "-", text).strip("-") or "model"
