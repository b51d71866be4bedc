"""Mails to users about their own password, with a link that sets a new one.

The words are ours: https://help.salesforce.com/s/articleView?id=sf.resetting_and_expiring_passwords.htm
tells what the mails are for, and for how long their links work.
"""

from __future__ import annotations

import hashlib
import secrets
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
_RESET, _WELCOME = timedelta(hours=24), timedelta(days=7)


def reset(org: Org, user_id: str, root: str) -> None:
    """How to set a new password; ``root``: scheme and host of the link."""
    link = _link(org, user_id, root, _RESET)
    text = (
        "We received a request to reset the password of your user {username}.\n\n"
        f"To set a new password go to:\n{link}\n\n"
        "The link works once, for 24 hours. If you did not ask for it, ignore this mail."
    )
    _send(org, user_id, "passwordReset", "Finish resetting your Salesforce password", text)


def welcome(org: Org, user_id: str, root: str) -> None:
    """To a new user: the username, and how to set a password."""
    link = _link(org, user_id, root, _WELCOME)
    text = (
        f"Welcome to {org.name}. Your username is {{username}}.\n\n"
        f"To verify your account and set a password go to:\n{link}\n\n"
        "The link works once, for 7 days."
    )
    _send(org, user_id, "newUser", "Welcome to Salesforce: Verify your account", text)


def new_password(org: Org, user_id: str, root: str) -> None:
    """That an administrator reset the password."""
    link = _link(org, user_id, root, _RESET)
    text = (
        "Your administrator has reset the password of your user {username}.\n\n"
        f"To set a new password go to:\n{link}\n\n"
        "The link works once, for 24 hours."
    )
    _send(org, user_id, "passwordReset", "Your Salesforce password was reset", text)


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


def _send(org: Org, user_id: str, kind: str, subject: str, text: str) -> None:
    user = org.store.table("User")
    statement = sa.select(user.c.Username, user.c.Email).where(user.c.Id == user_id)
    with org.store.reading() as reader:
        row = reader.one(org.store.prepare(statement))
    if row is None:
        return
    username, address = row
    Mailbox(org).put(
        Mail(
            kind=kind,
            user=user_id,
            sender="noreply@salesforce.com",
            sender_name="Salesforce",
            to=[address or username],
            subject=subject,
            text=text.replace("{username}", username),
        )
    )
