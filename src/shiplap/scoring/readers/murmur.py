"""MurmurHash3 of texts: 32 bits, little-endian, seed 0, as feature hashing uses it."""

from __future__ import annotations

import struct

__all__ = ["murmur3"]

_MASK = 0xFFFFFFFF
_FIRST, _SECOND = 0xCC9E2D51, 0x1B873593


def murmur3(data: bytes) -> int:
    """Return the hash of some bytes as a signed integer of 32 bits.

    Examples
    --------
    >>> murmur3(b""), murmur3(b"foo"), murmur3("né".encode())
    (0, -156908512, -1936413940)

    References
    ----------
    Appleby, A. (2011). MurmurHash3, function ``MurmurHash3_x86_32``. https://github.com/aappleby/smhasher
    """
    whole = len(data) & ~3
    state = 0
    for block in struct.unpack(f"<{whole // 4}I", data[:whole]):
        state ^= _mixed(block)
        state = ((state << 13) | (state >> 19)) & _MASK
        state = (state * 5 + 0xE6546B64) & _MASK
    state ^= _mixed(int.from_bytes(data[whole:], "little")) ^ len(data)
    state = ((state ^ (state >> 16)) * 0x85EBCA6B) & _MASK
    state = ((state ^ (state >> 13)) * 0xC2B2AE35) & _MASK
    state ^= state >> 16
    return state - (1 << 32) if state >> 31 else state


def _mixed(block: int) -> int:
    block = (block * _FIRST) & _MASK
    block = ((block << 15) | (block >> 17)) & _MASK
    return (block * _SECOND) & _MASK
