"""Opaque values handed to clients: authorization codes, refresh and delete tokens.

Each carries the org's 15-character id after a four-character mark, so that the login host finds
the org without a table; what is stored is a digest.
"""

from __future__ import annotations

import hashlib
import re
import secrets

REFRESH = "5Aep"
CODE = "aPrx"
DELETE = "dEl0"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._"
_FORM = re.compile(r"([A-Za-z0-9]{4})(00D[A-Za-z0-9]{12})[A-Za-z0-9._]{40,80}\Z")


def make(mark: str, org_id: str) -> str:
    """A fresh value: mark, org, 256 random bits."""
    return mark + org_id[:15] + "".join(secrets.choice(_ALPHABET) for _ in range(43))


def org_of(mark: str, value: str) -> str | None:
    """The 15-character org id of a value of that kind, None for anything else."""
    found = _FORM.match(value)
    return found.group(2) if found and found.group(1) == mark else None


def digest(value: str) -> str:
    """What is stored of a value. It is random, so a plain hash cannot be guessed back."""
    return hashlib.sha256(value.encode()).hexdigest()
