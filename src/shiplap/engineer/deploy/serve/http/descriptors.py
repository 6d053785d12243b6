"""How many connections fit into the open files that this process may have."""

from __future__ import annotations

import sys

if sys.platform != "win32":
    import resource

__all__ = ["room_for"]

_MOST_LEAVING = 256
_OTHERS = 64  # listening sockets, files, what libraries keep open


def room_for(connections: int) -> tuple[int, int]:
    """Raise the limit of open files as far as needed and allowed, and return what fits.

    Parameters
    ----------
    connections : int
        How many are wanted.

    Returns
    -------
    tuple of (int, int)
        How many connections may be open, and how many more may be told that there is no room.

    Examples
    --------
    >>> room_for(8)
    (8, 16)
    """
    leaving = max(16, min(_MOST_LEAVING, connections // 4))
    if sys.platform == "win32":
        return connections, leaving
    wanted = connections + leaving + _OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections, leaving
    if hard == resource.RLIM_INFINITY or hard > soft:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    fits = max(2, soft - _OTHERS)
    return min(connections, fits - min(leaving, fits // 2)), min(leaving, fits // 2)
