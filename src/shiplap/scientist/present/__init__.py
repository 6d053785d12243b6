"""The room that tells: one page that a manager understands and an engineer respects, and a model card."""

from shiplap.scientist.present.card import model_card
from shiplap.scientist.present.page import present

__all__ = ["model_card", "present"]
