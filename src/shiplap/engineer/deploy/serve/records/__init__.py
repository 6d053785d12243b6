"""What is recorded of a model in service: sketches of every column and answer, samples, and what came of them.

Wired so: in each worker, after the fork, ``recorder = Recorder(store_folder, options)``; on each ship
``hosted.tap(recorder.tap(hosted))``; among the protocols ``Outcomes(fleet, recorder)``; at the end, after the last
answer, ``recorder.close()``. `store_of` finds the store of a project's folder, and says so where there is none.
"""

from shiplap.engineer.deploy.serve.records.options import Records, private_columns, store_of
from shiplap.engineer.deploy.serve.records.recorder import Recorder

__all__ = ["Recorder", "Records", "private_columns", "store_of"]
