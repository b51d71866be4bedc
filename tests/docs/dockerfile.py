"""The Dockerfile, read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from tests.docs.snippets import ROOT


@dataclass(frozen=True)
class Instruction:
    word: str
    rest: str

    @property
    def argv(self) -> list[str]:
        """The exec form. Raises ``ValueError`` for a shell form."""
        told: list[str] = json.loads(self.rest[self.rest.index("[") :])
        return told


def instructions() -> list[Instruction]:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    whole = re.sub(r"\\\n\s*", " ", text)
    return [Instruction(*line.split(maxsplit=1)) for line in whole.splitlines() if line.strip()]


FILE = instructions()
START = max(n for n, each in enumerate(FILE) if each.word == "FROM")
FINAL = FILE[START:]


def last(word: str) -> Instruction:
    return [each for each in FINAL if each.word == word][-1]
