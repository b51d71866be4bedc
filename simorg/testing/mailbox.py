"""The mails an org sent."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from simorg.testing.org import Org

_LINK = re.compile(r"https?://[^\s\"'<>]+")
_PAUSE = 0.05  # seconds between two looks


@dataclass(frozen=True)
class Mail:
    """One mail. ``kind``: ``single``, ``passwordReset``, ``newUser``."""

    number: int
    sent: str
    kind: str
    sender: str
    to: list[str]
    cc: list[str]
    bcc: list[str]
    subject: str | None
    text: str | None
    html: str | None
    #: everything that the control API tells of it
    told: dict[str, Any]

    @property
    def links(self) -> list[str]:
        """URLs in its text, else in its HTML."""
        return _LINK.findall(self.text or self.html or "")

    @property
    def attachments(self) -> dict[str, bytes]:
        """File name -> content."""
        found = self.told["attachments"]
        return {one["name"]: base64.b64decode(one["content"]) for one in found}


class Mailbox:
    """What the org would have mailed; a sequence of ``Mail`` in the order sent."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def all(self, **filters: str | int) -> list[Mail]:
        """The mails; filters: ``to``, ``subject``, ``kind``, ``after`` (a number)."""
        query = f"?{urlencode(filters)}" if filters else ""
        return [_mail(told) for told in self._org.control("GET", f"mailbox{query}")["messages"]]

    def __iter__(self) -> Iterator[Mail]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    @property
    def last(self) -> Mail:
        """The newest. Raises ``LookupError`` if there is none."""
        found = self.all()
        if not found:
            raise LookupError(f"{self._org.name} has sent no mail")
        return found[-1]

    def to(self, address: str) -> list[Mail]:
        """Those to, in copy or in blind copy to an address, or a part of one (any case)."""
        return self.all(to=address)

    def wait_for(self, timeout: float = 5.0, **filters: str | int) -> Mail:
        """The first mail that fits, as soon as it is there. Raises ``TimeoutError``."""
        until = time.monotonic() + timeout
        while not (found := self.all(**filters)):
            if time.monotonic() > until:
                raise TimeoutError(f"no mail {filters or ''} within {timeout} seconds")
            time.sleep(_PAUSE)
        return found[0]

    def clear(self) -> None:
        """Throw them away."""
        self._org.control("DELETE", "mailbox")


def _mail(told: dict[str, Any]) -> Mail:
    names = ("number", "sent", "kind", "to", "cc", "bcc", "subject", "text", "html")
    return Mail(sender=told["from"], told=told, **{name: told[name] for name in names})
