import numpy as np
import pytest

from shiplap.adapters.frames import read_arrays
from shiplap.core.errors import TableError


def test_one_array_or_several_by_name(tmp_path):
    x, n = np.arange(6.0).reshape(3, 2), np.arange(3)
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "all.npz", x=x, n=n)
    assert (read_arrays(tmp_path / "x.npy") == x).all()
    assert set(read_arrays(tmp_path / "all.npz")) == {"x", "n"}


def test_objects_are_never_unpickled(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "no.npz").write_bytes(b"PK\x03\x04 not really")
    for name in ("x.npy", "no.npz"):
        with pytest.raises(TableError, match="no arrays that can be read"):
            read_arrays(tmp_path / name)
    with pytest.raises(TableError, match="there is no file"):
        read_arrays(tmp_path / "absent.npy")
