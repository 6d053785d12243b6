"""The descriptor set is what the .proto files say."""

import importlib.util
from pathlib import Path

from google.protobuf import descriptor_pb2

ROOT = Path(__file__).resolve().parents[3]


def test_the_descriptor_set_is_compiled_from_the_files(tmp_path):
    spec = importlib.util.spec_from_file_location("messages", ROOT / "scripts" / "messages.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.compile_messages(tmp_path / "messages.binpb") == 0
    found = []
    for path in (tmp_path / "messages.binpb", script.FOLDER / "messages.binpb"):
        described = descriptor_pb2.FileDescriptorSet()
        described.ParseFromString(path.read_bytes())
        found.append({file.name: file for file in described.file if not file.name.startswith("google/")})
    assert found[0] == found[1], "run .venvs/serving/bin/python scripts/messages.py"
    assert set(found[0]) == {path.name for path in script.FOLDER.glob("*.proto")}
