"""The container of a ship file: a zip with stored members, of which exactly one sequence of bytes is valid.

Local headers, contents and the central directory follow one another without gaps, flags, comments or times of their
own; ``docs/ship-format.md`` gives every byte. Numbers that 32 bits cannot hold stand in the fields of Zip64, and only
those. So any zip tool can open a ship file, while an altered byte, a hidden member or a second reading of the same
file is always noticed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from shiplap.core.errors import ShipError

__all__ = ["pack_members", "unpack_members"]

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_LARGE_END, _LOCATOR = struct.Struct("<4sQ2H2I4Q"), struct.Struct("<4sIQI")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_LARGE_END_MARK, _LOCATOR_MARK = b"PK\x06\x06", b"PK\x06\x07"
_VERSION, _TIME, _DATE = 20, 0, 0x21  # 1980-01-01 00:00, the first moment a zip can name
_LARGE_VERSION, _LARGE_FIELD, _FULL = 45, 1, 0xFFFF_FFFF  # Zip64: its version, its extra field, "see there"
_LARGE = _FULL  # the least number that stands there
_MADE_BY, _MODE = (3 << 8) | _VERSION, 0o100644 << 16  # an ordinary file
_SYMLINK = 0o120000


def pack_members(members: Mapping[str, bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a container, piece by piece, members in the order given.

    Parameters
    ----------
    members : mapping of str to bytes
        Content by path.

    Examples
    --------
    >>> container = b"".join(pack_members({"manifest.json": b"{}"}))
    >>> {name: bytes(content) for name, content in unpack_members(container).items()}
    {'manifest.json': b'{}'}
    """
    directory, offset = [], 0
    for name, content in members.items():
        local, central = _headers(name, content, offset)
        directory.append(central)
        offset += len(local) + len(content)
        yield local
        yield content
    yield from _closing(directory, offset)


def unpack_members(data: bytes | memoryview) -> dict[str, memoryview]:
    """Return the members of a container by path, each audited before it is touched.

    Parameters
    ----------
    data : bytes
        The whole file.

    Raises
    ------
    ShipError
        It is no zip file, is truncated, or holds anything a ship file may not: a path that leaves it, a link, a
        compressed or encrypted member, the same path twice, or bytes that are not in their place.
    """
    members = {}
    view = memoryview(data)
    for name, start, size, offset in _directory(view):
        if name in members:
            raise ShipError(f"holds '{name}' twice", hint="do not use it")
        end = start + size
        if offset > start or end > len(data):
            raise ShipError("is damaged: its directory points outside the file", hint="copy it again")
        members[name] = view[start:end]
    _require_canonical(view, members)
    return members


def _directory(data: memoryview) -> Iterator[tuple[str, int, int, int]]:
    """Yield name, start of the content, size and offset of the header for each member."""
    position, count = _end_record(data)
    for _ in range(count):
        if position + _CENTRAL.size > len(data) or data[position : position + 4] != _CENTRAL_MARK:
            raise ShipError("is damaged: its directory cannot be read", hint="copy it again")
        entry = _CENTRAL.unpack_from(data, position)
        flags, method, packed, size, n_name, n_extra, n_comment = *entry[3:5], *entry[8:13]
        after = position + _CENTRAL.size + n_name
        try:
            name = str(data[position + _CENTRAL.size : after], "ascii")
        except UnicodeDecodeError:
            raise ShipError("holds a path that is not ASCII", hint="do not use it") from None
        _require_tame(name, flags=flags, method=method, mode=entry[15] >> 16)
        if packed != size:
            raise ShipError(f"is damaged: two sizes are given for '{name}'", hint="copy it again")
        offset, n_local = entry[16], 0
        if n_extra:
            size, offset = _beyond(data[after : after + n_extra], size, offset, name)
            n_local = 20 if entry[9] == _FULL else 0
        yield name, offset + _LOCAL.size + n_name + n_local, size, offset
        position = after + n_extra + n_comment


def _beyond(extra: memoryview, size: int, offset: int, name: str) -> tuple[int, int]:
    """Read a member's numbers that 32 bits cannot hold; that each had to stand there is held against the one form."""
    n_numbers = 2 * (size == _FULL) + (offset == _FULL)
    if len(extra) != 4 + 8 * n_numbers:
        raise ShipError(f"is damaged: '{name}' has an extra field that no ship has", hint="copy it again")
    numbers = list(struct.unpack(f"<{n_numbers}Q", extra[4:]))
    return (numbers[0] if size == _FULL else size), (numbers[-1] if offset == _FULL else offset)


def _end_record(data: memoryview) -> tuple[int, int]:
    if bytes(data[:4]) not in {_LOCAL_MARK, _END_MARK}:
        raise ShipError("is not a ship file: it is not a zip", hint="ship files are made by `shiplap pack`")
    at = len(data) - _END.size
    if at < 0 or data[at : at + 4] != _END_MARK:
        raise ShipError("is truncated, or has bytes after its end", hint="copy it again from where it was packed")
    record = _END.unpack_from(data, at)
    before = at - _LOCATOR.size - _LARGE_END.size
    if record[6] == _FULL and before >= 0 and data[before : before + 4] == _LARGE_END_MARK:
        large = _LARGE_END.unpack_from(data, before)
        return large[9], large[7]
    return record[6], record[4]


def _require_tame(name: str, *, flags: int, method: int, mode: int) -> None:
    path = PurePosixPath(name)
    inside = name == str(path) and not path.is_absolute() and ".." not in path.parts and name != "."
    if not inside or "\\" in name or ":" in name or not name.isprintable():
        raise ShipError(f"holds a path that escapes: {_shown(name)}", hint="do not use it")
    if mode & 0o170000 == _SYMLINK:
        raise ShipError(f"holds a link: {_shown(name)}", hint="do not use it")
    if flags & 1 or method != 0:
        raise ShipError(f"holds a compressed or encrypted member: {_shown(name)}", hint="members of a ship are stored")


def _require_canonical(view: memoryview, members: Mapping[str, memoryview]) -> None:
    """Hold every byte outside the contents against the one form that is valid, and the contents against their CRC."""
    directory, offset = [], 0
    for name, content in members.items():
        local, central = _headers(name, content, offset)
        start = offset + len(local)
        if view[offset:start] != local or view[start : start + len(content)] != content:
            raise ShipError(f"was altered at '{name}' after it was sealed", hint="copy it again, or pack it again")
        directory.append(central)
        offset = start + len(content)
    if view[offset:] != b"".join(_closing(directory, offset)):
        raise ShipError("was altered in its directory after it was sealed", hint="copy it again, or pack it again")


def _headers(name: str, content: bytes | memoryview, offset: int) -> tuple[bytes, bytes]:
    raw, size, crc = name.encode("ascii"), len(content), zlib.crc32(content)
    sizes = [size, size] if size >= _LARGE else []
    beside, beside_here = _extra([*sizes, *([offset] if offset >= _LARGE else [])]), _extra(sizes)
    shown = _FULL if sizes else size
    common = (0, 0, _TIME, _DATE, crc, shown, shown, len(raw))
    local = _LOCAL.pack(_LOCAL_MARK, _version(beside_here), *common, len(beside_here)) + raw + beside_here
    central = _CENTRAL.pack(
        *(_CENTRAL_MARK, _MADE_BY, _version(beside), *common, len(beside), 0, 0, 0, _MODE, _shown_offset(offset))
    )
    return local, central + raw + beside


def _extra(numbers: list[int]) -> bytes:
    """Return the extra field of Zip64 with the numbers that 32 bits cannot hold; nothing where there are none."""
    return struct.pack(f"<2H{len(numbers)}Q", _LARGE_FIELD, 8 * len(numbers), *numbers) if numbers else b""


def _shown_offset(offset: int) -> int:
    return _FULL if offset >= _LARGE else offset


def _version(extra: bytes) -> int:
    return _LARGE_VERSION if extra else _VERSION


def _closing(directory: list[bytes], offset: int) -> tuple[bytes, bytes]:
    joined = b"".join(directory)
    count = len(directory)
    end = _END.pack(_END_MARK, 0, 0, count, count, len(joined), _shown_offset(offset), 0)
    if offset < _LARGE:
        return joined, end
    after = offset + len(joined)
    large = _LARGE_END.pack(
        *(_LARGE_END_MARK, _LARGE_END.size - 12, _MADE_BY, _LARGE_VERSION, 0, 0, count, count, len(joined), offset)
    )
    return joined, large + _LOCATOR.pack(_LOCATOR_MARK, 0, after, 1) + end


def _shown(name: str) -> str:
    return repr(name if len(name) <= 60 else name[:57] + "...")
