"""What the sandbox says when it cannot go on: one sentence, and what to do next."""

from __future__ import annotations


class SandboxError(Exception):
    """The practice systems could not be started, stopped or read."""

    def __init__(self, sentence: str, advice: str) -> None:
        super().__init__(f"{sentence} {advice}")
        self.sentence = sentence
        self.advice = advice
