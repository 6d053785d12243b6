"""Files that are there whole or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shiplap.core.durable import sync, sync_folder
from shiplap.core.errors import InputError

__all__ = ["replacing"]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; what was written there takes its place when the block ends well.

    The content is on the disk before the name is: a crash leaves the old file or the new one. On any error, an
    interrupt included, the temporary file is removed.

    Parameters
    ----------
    path : Path
        Where the file is to stand.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with replacing(target) as part:
    ...     _ = part.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    if not path.parent.is_dir():
        raise InputError(f"no folder '{path.parent}' to write '{path.name}' in", hint="make it, or choose another")
    if path.is_dir():
        raise InputError(f"'{path}' is a folder; a file is to be written", hint="name a file")
    part = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
    try:
        yield part
        _flush(part)
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise InputError(f"cannot write '{path}': {error.strerror or error}") from error
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def _flush(part: Path) -> None:
    with part.open("rb+") as file:
        sync(file.fileno())
