"""Keys of the server as a whole: the one that signs id_tokens, and JWT Robot's.

Made at first need and kept in the server's registry beside the orgs, so that all its processes
and orgs share them, and no reset or deletion of an org loses one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.oauth import keys

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

    from simorg.org.catalogue import OrgCatalogue

SIGNING = "idToken"
ROBOT = "jwtRobot"


def private_pem(catalogue: OrgCatalogue, name: str) -> bytes:
    """The PEM of a named key, made if there is none yet (of two makers the first wins)."""
    found = _find(catalogue, name)
    if found is None:
        made = keys.generate_private_pem().decode()
        registry = catalogue.registry
        with registry.work() as connection:
            connection.execute(
                f"INSERT INTO {registry.prefix}oauth_keys (name, pem)"
                f" VALUES ({registry.mark}, {registry.mark}) ON CONFLICT (name) DO NOTHING",
                (name, made),
            )
        found = _find(catalogue, name) or made
    return found.encode()


def signing_key(catalogue: OrgCatalogue) -> RSAKey:
    """The key that signs id_tokens; ``/id/keys`` publishes its public half."""
    return keys.signing_key(private_pem(catalogue, SIGNING))


def _find(catalogue: OrgCatalogue, name: str) -> str | None:
    registry = catalogue.registry
    with registry.work() as connection:
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {registry.prefix}oauth_keys"
            " (name TEXT PRIMARY KEY, pem TEXT NOT NULL)"
        )
        row = connection.execute(
            f"SELECT pem FROM {registry.prefix}oauth_keys WHERE name = {registry.mark}", (name,)
        ).fetchone()
    return row[0] if row else None
