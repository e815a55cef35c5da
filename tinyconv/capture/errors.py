"""Why a step cannot be captured."""

from __future__ import annotations


class NotCapturable(Exception):
    """The step does what a replay would not repeat; the message says what, as the end of a sentence."""
