"""Flow: the verbs in their natural order, each step answered from the store when it was done before."""

from shiplap.engineer.flow.doctor import doctor
from shiplap.engineer.flow.files import export_file, pack_file, present_file, train_to_file
from shiplap.engineer.flow.init import init
from shiplap.engineer.flow.run import run
from shiplap.engineer.flow.verbs import verb

__all__ = ["doctor", "export_file", "init", "pack_file", "present_file", "run", "train_to_file", "verb"]
