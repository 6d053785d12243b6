from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shiplap.core.store.drives import is_network_drive
from shiplap.core.store.ledger import Ledger

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's table of mounts")


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    table = tmp_path / "mounts"
    table.write_text(
        "/dev/sda1 / ext4 rw 0 0\n"
        "server:/team /mnt/team nfs4 rw 0 0\n"
        "/dev/sdb1 /mnt/team/disk xfs rw 0 0\n"
        "//box/my\\040share /mnt/my\\040share cifs rw 0 0\n"
        "server:/first /mnt/twice nfs rw 0 0\n"
        "/dev/sdc1 /mnt/twice ext4 rw 0 0\n"
        "odd line\n"
    )
    return table


@pytest.mark.parametrize(
    ("folder", "network"),
    [
        ("/home/ann", False),
        ("/mnt/team/project", True),
        ("/mnt/teamwork", False),
        ("/mnt/team/disk/project", False),
        ("/mnt/my share/project", True),
        ("/mnt/twice", False),
    ],
)
def test_the_innermost_latest_mount_decides(mounts: Path, folder: str, network: bool) -> None:
    assert is_network_drive(Path(folder), mounts=mounts) is network


def test_without_a_table_a_drive_counts_as_local(tmp_path: Path) -> None:
    assert not is_network_drive(tmp_path, mounts=tmp_path / "absent")


def test_the_ledger_keeps_off_the_write_ahead_log_on_a_network_drive(tmp_path: Path, mounts: Path) -> None:
    mounts.write_text(f"server:/team {tmp_path} nfs4 rw 0 0\n")
    for table, journal in ((mounts, "delete"), (Path("/proc/mounts"), "wal"), (mounts, "delete")):
        ledger = Ledger(tmp_path, mounts=table)
        ledger.append("INSERT INTO files VALUES (?, ?, ?)", [(journal + str(table), "1", "ab")] * 0)
        assert ledger.read("PRAGMA journal_mode") == [(journal,)]
        assert (tmp_path / "ledger.db-wal").exists() == (journal == "wal")
        ledger.close()
