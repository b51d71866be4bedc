"""An org's switches: JSON per section in its database, checked by the section's struct."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from simorg.org.store.base import Statement

if TYPE_CHECKING:
    from simorg.org.store.core import BaseStore


class SettingsError(ValueError):
    """A section or switch does not exist, or a value does not fit; the text says which."""


class Settings:
    """Sections are registered by their owners through ``Behaviour.sections``.

    Reading costs a dictionary look-up; what was read is kept until a change.
    """

    def __init__(
        self,
        store: BaseStore,
        sections: Mapping[str, type[msgspec.Struct]],
        initial: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._store = store
        self._sections = sections
        self._structs: dict[str, msgspec.Struct] = {}
        self._views: dict[str, Mapping[str, Any]] = {}
        self._lock = threading.Lock()
        if initial:
            with store.writing():
                for section, changes in initial.items():
                    self.update(section, changes)

    @property
    def sections(self) -> tuple[str, ...]:
        """Names of the sections there are."""
        return tuple(self._sections)

    def read(self, section: str) -> Any:
        """The section's struct, defaults filled in. Raises ``SettingsError``: no such section."""
        found = self._structs.get(section)
        if found is None:
            found = self._structs[section] = self._convert(section, self._stored(section))
        return found

    def get(self, section: str) -> Mapping[str, Any]:
        """The section as JSON values under its outer (camel case) names, defaults filled in."""
        found = self._views.get(section)
        if found is None:
            found = self._views[section] = msgspec.to_builtins(self.read(section))
        return found

    def update(self, section: str, changes: Mapping[str, Any]) -> None:
        """Change switches of a section; all of them, or none (``SettingsError``)."""
        with self._store.writing() as tx:
            stored = {**self._stored(section), **changes}
            self._convert(section, stored)
            tx.connection.execute(
                self._store.upsert_sql("simorg_settings"),
                (section, msgspec.json.encode(stored).decode()),
            )
            tx.touch_access()
            tx.touch_config()
            tx.on_commit(self.forget)

    def forget(self) -> None:
        """Read everything again at next use."""
        with self._lock:
            self._structs, self._views = {}, {}

    def _stored(self, section: str) -> dict[str, Any]:
        row = _stored(self._store, section)
        return msgspec.json.decode(row[0]) if row else {}

    def _convert(self, section: str, values: Mapping[str, Any]) -> msgspec.Struct:
        kind = self._sections.get(section)
        if kind is None:
            known = ", ".join(sorted(self._sections)) or "none"
            raise SettingsError(f"there is no settings section {section!r} (known: {known})")
        try:
            return msgspec.convert(dict(values), kind)
        except msgspec.ValidationError as error:
            raise SettingsError(f"{section}: {error}") from None


def _stored(store: BaseStore, section: str) -> tuple[Any, ...] | None:
    """One statement, which needs no transaction around it."""
    sql = f"SELECT value FROM {store.private('simorg_settings')} WHERE section = {store.mark}"
    with store.reading(once=True) as reader:
        return reader.one(Statement(sql, ("section",), {}), {"section": section})


class Documents:
    """What the org itself keeps in the settings table: its clock, schema, identity, usage."""

    def __init__(self, store: BaseStore) -> None:
        self._store = store

    def read(self, name: str) -> dict[str, Any] | None:
        """A document, or None if it was never written."""
        row = _stored(self._store, f"simorg.{name}")
        found: dict[str, Any] | None = msgspec.json.decode(row[0]) if row else None
        return found

    def write(self, name: str, value: Mapping[str, Any], *, config: bool = True) -> None:
        """Replace a document; ``config``: other processes must read it again."""
        with self._store.writing() as tx:
            tx.connection.execute(
                self._store.upsert_sql("simorg_settings"),
                (f"simorg.{name}", msgspec.json.encode(value).decode()),
            )
            if config:
                tx.touch_access()
                tx.touch_config()
