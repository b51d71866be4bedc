"""Mails to users about their own password, with a link that sets a new one.

The words are ours: https://help.salesforce.com/s/articleView?id=sf.resetting_and_expiring_passwords.htm
tells what the mails are for, and for how long their links work.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from simorg.errors import MalformedId
from simorg.org import ids
from simorg.org.mailbox import Mail, Mailbox

if TYPE_CHECKING:
    from simorg.org.catalogue import OrgCatalogue
    from simorg.org.org import Org

#: where a link leads; the page is ``oauth.password_pages``
PATH = "/secur/resetpassword"
_KEPT = "reset"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail with a link. ``text`` has the places {org}, {username} and {link}."""

    kind: str
    subject: str
    text: str
    #: how long the link works
    valid: timedelta


#: how to set a new password
RESET = Letter(
    "passwordReset",
    "Finish resetting your Salesforce password",
    "We received a request to reset the password of your user {username}.\n\n"
    "To set a new password go to:\n{link}\n\n"
    "The link works once, for 24 hours. If you did not ask for it, ignore this mail.",
    timedelta(hours=24),
)
#: to a new user: the username, and how to set a password
WELCOME = Letter(
    "newUser",
    "Welcome to Salesforce: Verify your account",
    "Welcome to {org}. Your username is {username}.\n\n"
    "To verify your account and set a password go to:\n{link}\n\n"
    "The link works once, for 7 days.",
    timedelta(days=7),
)
#: that an administrator reset the password
NEW_PASSWORD = Letter(
    "passwordReset",
    "Your Salesforce password was reset",
    "Your administrator has reset the password of your user {username}.\n\n"
    "To set a new password go to:\n{link}\n\n"
    "The link works once, for 24 hours.",
    timedelta(hours=24),
)


def send(letter: Letter, org: Org, user_id: str, root: str) -> None:
    """Put the mail into the user's mailbox; ``root``: scheme and host of the link."""
    user = org.store.table("User")
    statement = sa.select(user.c.Username, user.c.Email).where(user.c.Id == user_id)
    with org.store.reading() as reader:
        row = reader.one(org.store.prepare(statement))
    if row is None:
        return
    username, address = row
    link = _link(org, user_id, root, letter.valid)
    Mailbox(org).put(
        Mail(
            kind=letter.kind,
            user=user_id,
            sender="noreply@salesforce.com",
            sender_name="Salesforce",
            to=[address or username],
            subject=letter.subject,
            text=letter.text.format(org=org.name, username=username, link=link),
        )
    )


def _link(org: Org, user_id: str, root: str, valid: timedelta) -> str:
    code = secrets.token_urlsafe(32)
    org.kept.put(_KEPT, _digest(code), user_id.encode(), org.clock.now() + valid)
    return f"{root}{PATH}?c={org.id[:15]}.{code}"


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode(errors="surrogatepass")).hexdigest()


def find(catalogue: OrgCatalogue, given: str, *, spend: bool = False) -> tuple[Org, str] | None:
    """The org and the user id of a link's code; ``spend``: it does not work again."""
    org_id, _, code = given.partition(".")
    try:
        org = catalogue.living(ids.normalise(org_id))
    except MalformedId:
        return None
    if org is None or not code:
        return None
    kept = org.kept
    user_id = (kept.take if spend else kept.get)(_KEPT, _digest(code))
    return None if user_id is None else (org, user_id.decode())
