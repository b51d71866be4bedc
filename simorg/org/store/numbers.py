"""Many consecutive record ids at once (``ids.make`` costs several microseconds each)."""

from __future__ import annotations

from functools import lru_cache

from simorg.org import ids

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_PAIRS = 62 * 62


@lru_cache(maxsize=1)
def _pairs() -> list[tuple[str, int]]:
    """The last two digits with their share of the third suffix character's bits."""
    return [(a + b, a.isupper() << 3 | b.isupper() << 4) for a in _DIGITS for b in _DIGITS]


def make_many(prefix: str, first: int, count: int) -> list[str]:
    """``[ids.make(prefix, first), ids.make(prefix, first + 1), ...]``."""
    if count < 8:
        return [ids.make(prefix, n) for n in range(first, first + count)]
    out: list[str] = []
    number, last = first, first + count
    while number < last:
        block, low = divmod(number, _PAIRS)
        stop = min(_PAIRS, low + last - number)
        zero = ids.make(prefix, block * _PAIRS)
        head, middle, bits = zero[:13], zero[15:17], _SUFFIX.index(zero[17])
        out += [f"{head}{pair}{middle}{_SUFFIX[bits | more]}" for pair, more in _pairs()[low:stop]]
        number += stop - low
    return out
