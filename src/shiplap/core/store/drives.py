"""Which drive a folder lies on: SQLite's write-ahead log needs shared memory, which network drives do not have."""

from __future__ import annotations

import re
import sys
from pathlib import Path

__all__ = ["MOUNTS", "is_network_drive"]

MOUNTS = Path("/proc/mounts")
_NETWORK = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "gfs2", "glusterfs", "gpfs", "lustre"),
        *("ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs", "wekafs"),
        *("fuse.ceph", "fuse.davfs2", "fuse.gcsfuse", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    }
)


def is_network_drive(folder: Path, *, mounts: Path = MOUNTS) -> bool:
    r"""Tell whether `folder` lies on a drive that other machines may write to.

    Parameters
    ----------
    folder : Path
        An existing folder.
    mounts : Path
        The system's table of mounts (Linux), in the format of ``fstab(5)``.

    Returns
    -------
    bool
        On macOS, whether it lies below ``/Volumes`` (outside the system's own drive); on Windows, whether its path
        is a network path (``\\server\share``).

    Examples
    --------
    >>> import tempfile
    >>> table = Path(tempfile.mkdtemp()) / "mounts"
    >>> _ = table.write_text("/dev/sda1 / ext4 rw 0 0\nserver:/home /home nfs4 rw 0 0\n")
    >>> is_network_drive(Path("/home/ann"), mounts=table), is_network_drive(Path("/homely"), mounts=table)
    (True, False)
    """
    real = folder.resolve()
    if sys.platform == "darwin":
        return real.is_relative_to("/Volumes") or real.is_relative_to("/Network")
    if sys.platform == "win32":
        return str(real).startswith("\\\\")
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:  # a system without the table: local is by far the likelier
        return False
    found, kind = -1, ""
    for line in lines:
        fields = line.split()
        if len(fields) < 3:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[1]))
        if real.is_relative_to(point) and len(point.parts) >= found:  # a later mount hides an earlier one
            found, kind = len(point.parts), fields[2]
    return kind in _NETWORK
