"""Scoring: read a ship, encode rows, run the graph, decide. All of it stands on the base install."""

from shiplap.scoring.compare import decided_apart, distances
from shiplap.scoring.decide import Answer, Decider
from shiplap.scoring.encoder import Encoder
from shiplap.scoring.jsonrows import JsonRows
from shiplap.scoring.score import score
from shiplap.scoring.scorer import Scorer, load
from shiplap.scoring.shipfile import attach, read_ship, write_ship
from shiplap.scoring.show import show
from shiplap.scoring.signed import sign
from shiplap.scoring.verify import verify

__all__ = [
    "Answer",
    "Decider",
    "Encoder",
    "JsonRows",
    "Scorer",
    "attach",
    "decided_apart",
    "distances",
    "load",
    "read_ship",
    "score",
    "show",
    "sign",
    "verify",
    "write_ship",
]
