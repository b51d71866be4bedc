"""Pseudonyms for personal data: the same value always gets the same one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from simorg.org.seeds import words
from simorg.org.seeds.makers import slug

_EMAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.-])\+?\(?\d[\d ()/.-]{6,}\d(?![\w-])")
#: fields that hold a person's name, on whatever object
_FIRST = frozenset({"firstname", "middlename", "suffix", "salutation", "preferredname"})
_LAST = frozenset({"lastname"})
_PEOPLE = frozenset({"Contact", "Lead", "User", "Individual"})
_STREETS = ("street",)
_TEXTS = frozenset({"string", "textarea", "picklist", "combobox", "url", "encryptedstring"})


class Masks:
    """``salt``: another salt, other pseudonyms. ``keep``: leave everything as it is."""

    def __init__(self, salt: str, *, keep: bool = False) -> None:
        self._salt = hashlib.blake2b(salt.encode(), digest_size=32).digest()
        self.keep = keep

    def _number(self, kind: str, value: str) -> int:
        told = f"{kind}\0{value.strip().lower()}".encode()
        return int.from_bytes(hashlib.blake2b(told, key=self._salt, digest_size=8).digest())

    def _pick(self, kind: str, value: str, chosen: Sequence[str]) -> str:
        return chosen[self._number(kind, value) % len(chosen)]

    def first_name(self, value: str) -> str:
        return self._pick("first", value, words.FIRST_NAMES)

    def last_name(self, value: str) -> str:
        return self._pick("last", value, words.LAST_NAMES)

    def email(self, value: str) -> str:
        """An address at mail.example; different ones stay different."""
        first = slug(self._pick("email first", value, words.FIRST_NAMES))
        last = slug(self._pick("email last", value, words.LAST_NAMES))
        return f"{first}.{last}.{self._number('email', value) % 10**9:09d}@mail.example"

    def phone(self, value: str) -> str:
        number = self._number("phone", value)
        return f"({201 + number % 789}) 555-01{number // 789 % 100:02d}"

    def username(self, value: str, host: str) -> str:
        return f"{self.email(value).partition('@')[0]}@{host}.example"

    def text(self, value: str) -> str:
        """Addresses and phone numbers within a text."""
        value = _EMAIL.sub(lambda found: self.email(found[0]), value)
        return _PHONE.sub(lambda found: self.phone(found[0]), value)

    def value(self, object_name: str, field: dict[str, Any], value: Any) -> Any:
        """A field's value as it may be kept; ``field``: its describe."""
        if self.keep or value is None:
            return value
        name, kind = field["name"].lower(), field["type"]
        if name == "birthdate":
            return f"{str(value)[:4]}-01-01"
        if not isinstance(value, str) or kind not in _TEXTS | {"email", "phone"}:
            return value
        if kind == "email":
            return self.email(value)
        if kind == "phone":
            return self.phone(value)
        if name in _LAST:
            return self.last_name(value)
        if name in _FIRST:
            return self.first_name(value) if name != "salutation" else value
        if object_name in _PEOPLE and name.endswith(_STREETS):
            return f"{1 + self._number('street', value) % 990} {words.STREETS[0]}"
        return value if kind == "picklist" else self._cut(self.text(value), field)

    @staticmethod
    def _cut(value: str, field: dict[str, Any]) -> str:
        length = field.get("length") or 0
        return value[:length] if length else value
