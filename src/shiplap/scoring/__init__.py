"""Scoring: read a ship, encode rows, run the graph, decide. All of it stands on the base install."""

from shiplap.scoring.decide import Answer
from shiplap.scoring.encoder import Encoder
from shiplap.scoring.scorer import Scorer, load
from shiplap.scoring.shipfile import attach, read_ship, write_ship

__all__ = ["Answer", "Encoder", "Scorer", "attach", "load", "read_ship", "write_ship"]
