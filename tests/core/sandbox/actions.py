"""What a confined process tries: run in its folder, it does what the file ``action`` there says."""

import ctypes
import fcntl
import json
import os
import resource
import socket
import stat
import subprocess
import threading
from pathlib import Path

import numpy as np


def tries(folder):
    """Try everything that must fail, and say of each what came of it."""
    order = json.loads((folder / "order").read_text())
    outside, secret, parent = Path(order["outside"]), Path(order["secret"]), order["parent"]
    attempts = {
        "connect": lambda: socket.create_connection(("127.0.0.1", order["port"]), timeout=2),
        "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "local socket": lambda: socket.socket(socket.AF_UNIX),
        "write": lambda: outside.write_text("here"),
        "append": lambda: secret.open("a").write("here"),
        "truncate": lambda: os.truncate(secret, 0),
        "remove": secret.unlink,
        "rename": lambda: secret.rename(folder / "mine"),
        "link": lambda: os.link(secret, folder / "mine"),
        "mode": lambda: secret.chmod(0o777),
        "times": lambda: os.utime(secret, (1, 1)),
        "read": secret.read_text,
        "environment": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
        "temporary": lambda: Path("/tmp/shiplap-escaped").write_text("here"),
        "program": lambda: subprocess.run(["/bin/true"], check=True),
        "shell": lambda: 1 / 0 if os.system("true") else None,
        "fork": os.fork,
        "kill": lambda: os.kill(parent, 0),
        "trace": lambda: _refused(ctypes.CDLL(None, use_errno=True).ptrace(16, parent, 0, 0)),
        "namespace": lambda: _refused(ctypes.CDLL(None, use_errno=True).unshare(0x10000000)),
        "limits": lambda: _raise_limits(parent),
        "device": lambda: os.mknod("log", stat.S_IFCHR | 0o600, os.makedev(1, 11)),
        "pipe": lambda: os.mkfifo("pipe"),
        "memory file": lambda: os.memfd_create("large"),
        "signal by file": lambda: fcntl.fcntl(2, fcntl.F_SETOWN, parent),
        "any signal by file": lambda: fcntl.fcntl(2, fcntl.F_SETSIG, 9),
        "flags of a file": _flag,
        "watch": lambda: _refused(ctypes.CDLL(None, use_errno=True).inotify_init1(0)),
        "call of a later kernel": lambda: _refused(ctypes.CDLL(None, use_errno=True).syscall(469, -1, 0, 0, 0, 0)),
        "privileges": _privileges,
    }
    return json.dumps({name: _came(attempt) for name, attempt in attempts.items()}).encode()


def works(folder):
    """Do what must still work: threads, numbers, files of its own."""
    found = []
    thread = threading.Thread(target=lambda: found.append(float((np.ones((50, 50)) @ np.ones(50)).sum())))
    thread.start()
    thread.join()
    (folder / "own").write_text("mine")
    return json.dumps([found[0], (folder / "own").read_text(), os.environ.get("SECRET")]).encode()


def eats_memory(folder):
    return bytes(len([bytes(1 << 28) for _ in range(64)]))


def never_ends(folder):
    while True:
        pass


def floods(folder):
    for _ in range(64):
        os.write(2, bytes(1 << 20))


def nests(folder):
    for _ in range(2_000):
        Path("deep").mkdir()
        os.chdir("deep")
    Path("closed").mkdir(0)
    Path("link").symlink_to("/etc")
    (folder / "result").write_text("deep")
    os._exit(0)


def links(folder):
    (folder / "result").symlink_to("/etc/hostname")
    os._exit(0)


def dies(folder):
    os.abort()


def says(folder):
    raise ValueError("\x1b[31mred\x07 " + "x" * 5_000)


def _came(attempt):
    try:
        attempt()
    except (OSError, ZeroDivisionError) as error:
        return type(error).__name__
    return "done"


def _refused(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")


def _raise_limits(parent):
    resource.prlimit(parent, resource.RLIMIT_NOFILE)


def _flag():
    with Path(os.__file__).open() as file:
        fcntl.ioctl(file, 0x80086601, bytes(8))


def _privileges():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:") and int(line.split()[1], 16) & ~4 == 0:
            raise PermissionError("none but to read")


if __name__ != "actions" and Path("action").exists():
    Path("result").write_bytes(globals()[Path("action").read_text()](Path.cwd()))
    os._exit(0)
