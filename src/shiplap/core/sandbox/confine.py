"""Confine the process that calls: Landlock for files, seccomp for everything else the kernel offers.

Neither needs privileges, and neither can be undone by the process. Landlock is described at
https://docs.kernel.org/userspace-api/landlock.html, seccomp filters at
https://docs.kernel.org/userspace-api/seccomp_filter.html.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import stat
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shiplap.core.sandbox.syscalls import (
    AUDIT_ARCH,
    CAPSET,
    CLONE,
    CLONE3,
    DENIED,
    FCNTL,
    IOCTL,
    OWNED,
    PRLIMIT,
    UNKNOWN,
)

__all__ = ["STANDARD", "Limits", "confine", "unsupported"]

_CREATE, _ADD, _RESTRICT, _SECCOMP = 444, 445, 446, {"x86_64": 317, "aarch64": 277}
_VERSION = 1
_EXECUTE, _WRITE, _READ, _READ_DIR, _TRUNCATE, _IOCTL = 1, 2, 4, 8, 1 << 14, 1 << 15
_DEVICES_SOCKETS_PIPES = 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11
_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE | _IOCTL
_NO_NEW_PRIVILEGES, _DUMPABLE, _DEATH_SIGNAL = 38, 4, 1
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_THREAD = 0x00010000
_CAPABILITIES, _READ_ANY = 0x20080522, 1 << 2


@dataclass(frozen=True)
class Limits:
    """What a confined process may use.

    Parameters
    ----------
    seconds : int
        Of processor time, and of the clock.
    memory_mb : int
        Of address space.
    output_mb : int
        The largest file it may write.
    """

    seconds: int = 600
    memory_mb: int = 16_384
    output_mb: int = 2_048


STANDARD = Limits()
"""What a model file may use while it is read, lowered and certified."""


def unsupported() -> str:
    """Say why a process cannot be confined here; nothing where it can.

    Examples
    --------
    >>> isinstance(unsupported(), str)
    True
    """
    if sys.platform != "linux":
        return f"{platform.system()} has no Landlock and no seccomp"
    if platform.machine() not in AUDIT_ARCH:
        return f"no list of system calls is known for {platform.machine()}"
    if _call(_CREATE, None, 0, _VERSION) < 1:
        return "this kernel has no Landlock, or it is switched off"
    return ""


def confine(readable: Iterable[Path], writable: Path, limits: Limits) -> None:
    """Give up, for good, everything but reading some files and writing one folder.

    Parameters
    ----------
    readable : iterable of Path
        Files, and folders with all that is below them.
    writable : Path
        The only folder that is written.
    limits : Limits
        Time, memory, size.

    Raises
    ------
    OSError
        The kernel refuses; nothing may be run then.
    """
    if len(list(Path("/proc/self/task").iterdir())) > 1:  # Landlock holds the thread that calls, and those it starts
        raise OSError(errno.EBUSY, "other threads run already")
    _limit(limits)
    for option, value in ((_DEATH_SIGNAL, 9), (_DUMPABLE, 0), (_NO_NEW_PRIVILEGES, 1)):
        _done(_LIBC.prctl(option, value, 0, 0, 0))
    _drop_privileges(platform.machine())
    _restrict_files(readable, writable)
    _restrict_calls(platform.machine())


_LIBC = ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: object) -> int:
    wide = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return int(_LIBC.syscall(ctypes.c_long(number), *wide))


def _done(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _limit(limits: Limits) -> None:
    import resource  # noqa: PLC0415 - there is none on Windows

    memory, output = limits.memory_mb << 20, limits.output_mb << 20
    for what, most in (
        (resource.RLIMIT_CPU, limits.seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
    ):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (most, most) if hard == resource.RLIM_INFINITY else (min(most, hard),) * 2)


def _drop_privileges(machine: str) -> None:
    """Let root be a user like any other, but for reading: it makes devices, freezes file systems, locks files."""
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITIES, 0))
    held = ctypes.create_string_buffer(24)
    _done(_call(CAPSET[machine] - 1, header, held))
    permitted = struct.unpack("=6I", held.raw)[1] & _READ_ANY
    wanted = struct.pack("=6I", permitted, permitted, 0, 0, 0, 0)
    _done(_call(CAPSET[machine], header, ctypes.create_string_buffer(wanted)))


def _restrict_files(readable: Iterable[Path], writable: Path) -> None:
    version = _done(_call(_CREATE, None, 0, _VERSION))
    known = 13 if version < 2 else 14 if version < 3 else 15 if version < 5 else 16
    handled = (1 << known) - 1
    # Bind and connect of TCP, abstract sockets, signals: where the kernel can, twice is better.
    attributes = struct.pack("=QQQ", handled, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = _done(_call(_CREATE, ctypes.create_string_buffer(attributes), size, 0))
    for path in readable:
        _allow(rules, path, _EXECUTE | _READ | _READ_DIR)
    _allow(rules, Path("/dev/null"), _READ | _WRITE)
    _allow(rules, writable, handled & ~(_EXECUTE | _IOCTL | _DEVICES_SOCKETS_PIPES))
    _done(_call(_RESTRICT, rules, 0))
    os.close(rules)


def _allow(rules: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_FILES
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, place))
        _done(_call(_ADD, rules, 1, rule, 0))
    finally:
        os.close(place)


def _restrict_calls(machine: str) -> None:
    program = _filter(machine)
    body = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(body)))
    _done(_call(_SECCOMP[machine], 1, 1, header))  # for all threads


def _filter(machine: str) -> bytes:
    """Return the program that judges each system call, in the kernel's own words (``struct sock_filter``)."""
    number, architecture, first_argument, second_argument = 0, 4, 16, 24

    def step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("=HBBI", code, yes, no, value)

    refuse = step(_RETURN, _ERRNO | errno.EPERM)
    parts = [
        step(_LOAD, architecture),
        step(_EQUAL, AUDIT_ARCH[machine], 1, 0),
        step(_RETURN, _KILL),
        step(_LOAD, number),
        step(_AT_LEAST, UNKNOWN, 0, 1),  # newer than this list, or the other calling convention of x86
        step(_RETURN, _ERRNO | errno.ENOSYS),
        step(_EQUAL, IOCTL[machine], 0, 1),  # it changes flags of files that are open for reading: there are no devices
        step(_RETURN, _ERRNO | errno.ENOTTY),
        step(_EQUAL, CLONE3[machine], 0, 1),  # its flags lie in memory: the C library falls back to clone
        step(_RETURN, _ERRNO | errno.ENOSYS),
    ]
    for denied in DENIED[machine]:
        parts += [step(_EQUAL, denied, 0, 1), refuse]
    parts += [step(_EQUAL, FCNTL[machine], 0, 2 + 2 * len(OWNED)), step(_LOAD, second_argument)]
    for command in OWNED:
        parts += [step(_EQUAL, command, 0, 1), refuse]
    return b"".join(
        [
            *parts,
            step(_LOAD, number),
            step(_EQUAL, CLONE[machine], 0, 3),  # threads only
            step(_LOAD, first_argument),
            step(_ANY_BIT, _THREAD, 1, 0),
            refuse,
            step(_LOAD, number),
            step(_EQUAL, PRLIMIT[machine], 0, 3),  # its own limits only
            step(_LOAD, first_argument),
            step(_EQUAL, 0, 1, 0),
            refuse,
            step(_RETURN, _ALLOW),
        ]
    )
