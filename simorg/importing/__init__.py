"""A definition read from a real org's REST API, with the user's own session. Only GET requests.

``from_session(sf, objects=["Account", "Invoice__c"], queries=["SELECT Name FROM Account"])``
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simorg.importing.client import ImportRefused as ImportRefused

__all__ = ["ImportRefused", "from_session"]


def from_session(
    session: Any = None,
    *,
    instance_url: str | None = None,
    access_token: str | None = None,
    objects: Sequence[str] = (),
    queries: Sequence[str] = (),
    users: bool = False,
    keep_personal: bool = False,
    salt: str | None = None,
    api_version: str = "59.0",
    reserve: int = 1000,
    most: int = 10_000,
) -> str:
    """An org definition (YAML) of what a session can read. Raises ``ImportRefused``.

    ``session``: a ``simple_salesforce.Salesforce``, or a ``requests.Session`` beside
    ``instance_url`` and ``access_token``, or None. ``objects``: whose custom fields are taken over.
    ``queries``: SOQL, or an object's name for all its records. ``users``: all users, instead of one
    administrator. Names, mail addresses and phone numbers become pseudonyms unless
    ``keep_personal``; they depend on ``salt`` (the org's id if not told). ``reserve``: API requests
    of the day left alone. ``most``: records taken of an object.
    """
    from simorg.importing.client import Client, Get, plain_get, session_get
    from simorg.importing.org import Asked, read

    url, token = instance_url, access_token
    get: Get = plain_get
    if session is not None:
        inner = session
        if hasattr(session, "sf_instance"):  # simple-salesforce
            parts = str(session.base_url).split("/services/")
            url, token, inner = url or parts[0], token or session.session_id, session.session
        get = session_get(inner)
    if url is None or token is None:
        raise ImportRefused("an instance URL and an access token are needed")
    client = Client(url, token, get, api_version, reserve)
    asked = Asked(tuple(objects), tuple(queries), users, keep_personal, salt, most)
    try:
        return read(client, asked)
    except (AttributeError, LookupError, StopIteration, TypeError, ValueError) as error:
        told = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise ImportRefused(f"an answer is not as Salesforce's ({told})") from error
