"""The mails an org sent: kept with its data instead of handed to a mail server.

They live in the org's own table of small values, so that snapshots hold them and a transaction
that is rolled back has sent nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from simorg.org.org import Org

_KIND = "mail"
_DIGITS = 10
#: older ones give way
MOST = 1000


class Attachment(msgspec.Struct, rename="camel", kw_only=True):
    name: str
    content_type: str | None = None
    #: as it was sent, Base64 in JSON
    content: bytes = b""


class Mail(msgspec.Struct, rename="camel", kw_only=True):
    """One mail."""

    #: 1, 2, 3, ... of the org
    number: int = 0
    #: by the org's clock
    sent: str = ""
    #: ``single``, ``passwordReset`` or ``newUser``
    kind: str
    #: user id of who sent it, or whom it concerns
    user: str | None = None
    sender: str = msgspec.field(name="from")
    sender_name: str | None = None
    reply_to: str | None = None
    to: list[str] = []
    cc: list[str] = []
    bcc: list[str] = []
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    attachments: list[Attachment] = []


class Mailbox:
    """The mails of one org. Inside ``writing()`` everything joins in."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._table = org.store.private("simorg_kept")
        self._mark = org.store.mark

    def put(self, mail: Mail) -> Mail:
        """Keep a mail; it gets its number and time."""
        org = self._org
        with org.store.writing() as tx:
            mail.number = tx.next_number(_KIND)
            mail.sent = org.clock.text()
            org.kept.put(_KIND, _key(mail.number), msgspec.json.encode(mail))
            tx.connection.execute(
                f"DELETE FROM {self._table} WHERE kind = {self._mark} AND key <= {self._mark}",
                (_KIND, _key(max(mail.number - MOST, 0))),
            )
        return mail

    def all(self, after: int = 0) -> Iterator[Mail]:
        """The mails whose number is greater, in the order they were sent."""
        with self._org.store.reading() as reader:
            rows = reader.connection.execute(
                f"SELECT value FROM {self._table} WHERE kind = {self._mark}"
                f" AND key > {self._mark} ORDER BY key",
                (_KIND, _key(after)),
            ).fetchall()
        for (value,) in rows:
            yield msgspec.json.decode(bytes(value), type=Mail)

    def get(self, number: int) -> Mail | None:
        """The mail of that number."""
        found = self._org.kept.get(_KIND, _key(number))
        return None if found is None else msgspec.json.decode(found, type=Mail)

    def clear(self) -> int:
        """Throw them away; how many there were. Numbers go on."""
        with self._org.store.writing() as tx:
            count: int = tx.connection.execute(
                f"DELETE FROM {self._table} WHERE kind = {self._mark}", (_KIND,)
            ).rowcount
        return count


def _key(number: int) -> str:
    return f"{number:0{_DIGITS}d}"
