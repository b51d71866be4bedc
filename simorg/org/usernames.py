"""An org's hand on the server-wide register of usernames."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from simorg.org.registry import Registry

if TYPE_CHECKING:
    from simorg.org.store.core import BaseStore

#: seconds after which a claim without a User row is taken for the trace of a crash
_GRACE = 60.0


class Usernames:
    """``claim`` and ``release`` follow the transaction they are called in.

    In a file registry a claim is written at once and undone by a roll-back; after a crash in
    between, ``is_used(org_id, user_id, username)`` tells a claim nobody stands behind.
    """

    def __init__(
        self,
        registry: Registry,
        org_id: str,
        store: BaseStore,
        is_used: Callable[[str, str, str], bool],
    ) -> None:
        self._registry = registry
        self._org_id = org_id
        self._store = store
        self._is_used = is_used

    def claim(self, username: str, user_id: str) -> bool:
        """Whether the username (any case) now is this user's; False: somebody else has it."""
        tx = self._store.transaction
        if tx is not None and self._registry.prefix:
            return self._registry.claim_on(tx.connection, username, self._org_id, user_id)
        held = self._registry.find_username(username)
        if held is not None and held[:2] == (self._org_id, user_id):
            return True
        if not self._registry.claim(username, self._org_id, user_id):
            if not self._take_over(username, user_id):
                return False
        if tx is not None:
            tx.on_rollback(lambda: self._registry.release(username, self._org_id, user_id))
        return True

    def _take_over(self, username: str, user_id: str) -> bool:
        held = self._registry.find_username(username)
        if held is None:
            return self._registry.claim(username, self._org_id, user_id)
        org_id, other, claimed = held
        if time.time() - claimed < _GRACE or self._is_used(org_id, other, username):
            return False
        self._registry.release(username, org_id, other)
        return self._registry.claim(username, self._org_id, user_id)

    def release(self, username: str, user_id: str) -> None:
        """Give a username up, once the transaction around commits."""
        tx = self._store.transaction
        if tx is None:
            self._registry.release(username, self._org_id, user_id)
        elif self._registry.prefix:
            self._registry.release_on(tx.connection, username, self._org_id, user_id)
        else:
            tx.on_commit(lambda: self._registry.release(username, self._org_id, user_id))

    def rename(self, old: str, new: str, user_id: str) -> bool:
        """Claim the new name and give up the old one; False: the new one is taken."""
        if old.lower() == new.lower():
            return True
        if not self.claim(new, user_id):
            return False
        self.release(old, user_id)
        return True
