from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from shiplap.core.errors import StoreError
from shiplap.core.store import open_store


class AStore(RuleBasedStateMachine):
    """A store beside a dictionary that says what it should answer, through damage and reopening."""

    digests: Bundle[str] = Bundle("digests")

    @initialize()
    def make(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.store = open_store(self.folder)
        self.objects: dict[str, bytes] = {}
        self.steps: dict[int, bytes] = {}
        self.named: dict[str, str] = {}

    @rule(target=digests, data=st.binary(max_size=50))
    def put(self, data: bytes) -> str:
        digest = self.store.put(data)
        self.objects[digest] = data
        return digest

    @rule(digest=digests)
    def get(self, digest: str) -> None:
        if digest in self.objects:
            assert self.store.get(digest) == self.objects[digest]
            assert self.store.path(digest).read_bytes() == self.objects[digest]
        else:
            with pytest.raises(StoreError, match=r"was damaged|has no object"):
                self.store.get(digest)

    @rule(digest=digests, flip=st.integers(0, 49))
    def damage(self, digest: str, flip: int) -> None:
        if data := self.objects.get(digest):
            del self.objects[digest]
            place = self.store.path(digest)
            place.chmod(0o644)
            changed = bytearray(data)
            changed[flip % len(data)] ^= 1
            place.write_bytes(changed)

    @rule(step=st.integers(0, 3), data=st.binary(max_size=50))
    def memo(self, step: int, data: bytes) -> None:
        result, hit = self.store.memo({"step": step}, lambda: data)
        assert result == (self.steps[step] if hit else data)
        known = self.steps.get(step)
        assert hit == (known is not None and known in self.objects.values())
        self.steps[step] = result
        self.objects[self.store.put(result)] = result

    @rule(name=st.sampled_from(["a", "b@1"]), digest=digests)
    def name(self, name: str, digest: str) -> None:
        if digest in self.objects:
            self.store.name(name, digest)
            self.named[name] = digest
        assert {name: record.digest for name, record in self.store.names().items()} == self.named

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = open_store(self.folder)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)


AStore.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestAStore = AStore.TestCase


def test_it_is_its_owner_s_alone_and_out_of_git(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        assert store.folder == tmp_path / ".shiplap"
        assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
        assert (store.folder / ".gitignore").read_text() == "*\n"
    with open_store(tmp_path / ".shiplap") as again:
        assert again.folder == tmp_path / ".shiplap"


def test_a_project_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot make a store in '.*file.*': Not a directory"):
        open_store(tmp_path / "file")


def test_two_open_stores_see_each_other(tmp_path: Path) -> None:
    with open_store(tmp_path) as one, open_store(tmp_path) as other:
        assert other.get(one.put(b"rows")) == b"rows"
        run = one.begin("train")
        one.metric(run, "loss", 0.5)
        assert [point.value for point in other.points(run)] == [0.5]


def test_importing_it_loads_the_standard_library_and_msgspec_alone() -> None:
    code = """
import sys, sysconfig
import shiplap.core.store
from pathlib import Path
site = Path(sysconfig.get_path("purelib"))
files = [Path(m.__file__) for m in sys.modules.values() if getattr(m, "__file__", None)]
print(sorted({file.relative_to(site).parts[0].removesuffix(".py") for file in files if file.is_relative_to(site)}))
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    names = set(eval(printed))
    assert {name for name in names if not name.startswith("_")} <= {
        "msgspec",
        "typing_extensions",
    }
