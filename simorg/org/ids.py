"""Record ids: 15 case-sensitive characters, or 18 with a suffix that tells the case.

An id is a key prefix (3), the pod (2), a reserved character, and a record number in base 62 (9).
The suffix has one character for each five: bit *n* set means character *n* is a capital.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
"""

from __future__ import annotations

import re
from functools import lru_cache

from simorg.errors import MalformedId

#: digits in binary text order, so that ids made later sort later
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SUFFIX_VALUE = {c: n for n, c in enumerate(_SUFFIX)}
_CHUNKS = ((0, 5), (5, 10), (10, 15))
_NUMBER_LENGTH = 9
_LARGEST = 62**_NUMBER_LENGTH - 1
_WELL_FORMED = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?", re.ASCII)


def prefix(id18: str) -> str:
    """The key prefix, which tells the object."""
    return id18[:3]


def normalise(text: str) -> str:
    """The canonical 18-character form of what a client sent.

    15 characters are taken as they stand. 18 characters in any case are repaired from their
    suffix. Raises ``MalformedId`` for anything else.
    """
    if not isinstance(text, str):
        raise MalformedId(value=text)
    return _normalised(text)


@lru_cache(maxsize=8192)  # a call looks at the same few ids several times
def _normalised(text: str) -> str:
    if not _WELL_FORMED.fullmatch(text):
        raise MalformedId(value=text)
    if len(text) == 15:
        return text + _suffix(text)
    body = text[:15]
    if _suffix(body) == text[15:]:
        return text
    return _repair(body, text[15:].upper(), text)


def is_id(text: str) -> bool:
    """Whether ``normalise`` would accept the text."""
    try:
        normalise(text)
    except MalformedId:
        return False
    return True


def make(prefix: str, number: int, pod: str = "Hp") -> str:
    """The 18-character id of the ``number``-th record of a key prefix; grows with the number."""
    if len(prefix) != 3 or len(pod) != 2 or not 0 <= number <= _LARGEST:
        raise ValueError(f"no id for prefix {prefix!r}, pod {pod!r}, number {number}")
    digits = []
    for _ in range(_NUMBER_LENGTH):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    id15 = f"{prefix}{pod}0{''.join(reversed(digits))}"
    return id15 + _suffix(id15)


def _suffix(id15: str) -> str:
    out = ""
    for start, end in _CHUNKS:
        bits = 0
        for n, character in enumerate(id15[start:end]):
            if "A" <= character <= "Z":
                bits |= 1 << n
        out += _SUFFIX[bits]
    return out


def _repair(body: str, suffix: str, original: str) -> str:
    """Give ``body`` the case its suffix tells; a suffix that cannot be true is refused."""
    out = []
    for (start, end), told in zip(_CHUNKS, suffix, strict=True):
        bits = _SUFFIX_VALUE.get(told)
        if bits is None:
            raise MalformedId(value=original)
        for n, character in enumerate(body[start:end]):
            capital = bool(bits >> n & 1)
            if capital and not character.isalpha():
                raise MalformedId(value=original)
            out.append(character.upper() if capital else character.lower())
    return "".join(out) + suffix
