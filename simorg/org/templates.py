"""Templates by definition: built at first need, found again while the definition is the same."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from simorg.org.schema.org_schema import OrgSchema
from simorg.org.seeds.template import Template
from simorg.org.settings import Documents
from simorg.org.store.namespaces import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from simorg.org.behaviour import Behaviour
    from simorg.org.store.core import BaseStore
    from simorg.org.store.namespaces import Namespaces

_BUILT_IN = "acme"


class Templates:
    """``exclusive`` keeps other processes from building the same one meanwhile."""

    def __init__(
        self,
        spaces: Namespaces,
        behaviour: Behaviour,
        definitions: Sequence[Path],
        exclusive: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._spaces = spaces
        self._behaviour = behaviour
        self._default = str(definitions[0]) if definitions else _BUILT_IN
        self._exclusive = exclusive
        self._lock = threading.RLock()
        self._by_key: dict[str, Template] = {}
        #: definition -> (what its file looked like, its template)
        self._seen: dict[str, tuple[object, Template]] = {}

    def get(self, definition: str | None) -> Template:
        """The template of a definition (path or built-in name; None: the default one).

        Raises ``SeedError`` when the definition cannot be built.
        """
        from simorg.org.seeds.build import definition_stamp, read_definition

        definition = definition or self._default
        if not definition.isidentifier() and is_saved(Path(definition)):
            return self._of_file(Path(definition))
        stamp = definition_stamp(definition)
        known = self._seen.get(definition)
        if known is not None and known[0] == stamp:
            return known[1]
        text, source = read_definition(definition)
        with self._lock:
            found = self._of_text(text, source)
            self._seen[definition] = (stamp, found)
        return found

    def _of_file(self, path: Path) -> Template:
        """An org saved to a file (``simorg.org.saved``) serves as a definition too."""
        from simorg.org import saved

        told = path.stat()
        stamp = (told.st_mtime_ns, told.st_size)
        known = self._seen.get(str(path))
        if known is not None and known[0] == stamp:
            return known[1]
        name = f"{TEMPLATE}{hashlib.sha256(path.read_bytes()).hexdigest()[:32]}"
        with self._lock, self._exclusive():
            found = self._existing(name) or self.build(
                name, lambda store: saved.build(path, name, store, self._behaviour)
            )
            self._seen[str(path)] = (stamp, found)
        return found

    def _of_text(self, text: str, source: str) -> Template:
        from simorg.org.seeds.build import template_key

        key = template_key(text, source)
        found = self._by_key.get(key)
        if found is None:
            with self._exclusive():
                name = f"{TEMPLATE}{key}"
                found = self._existing(name) or self._build(text, source, name)
            self._by_key[key] = found
        return found

    def _existing(self, name: str) -> Template | None:
        """One that another process built; the remains of a failed attempt are removed."""
        if not self._spaces.exists(name):
            return None
        store = self._spaces.open(name, OrgSchema())
        saved = Documents(store).read("template")
        self._spaces.seal(store, name)
        if saved is None:
            self._spaces.drop(name)
            return None
        return Template.from_dict(saved)

    def _build(self, text: str, source: str, name: str) -> Template:
        from simorg.org.seeds.build import build_template

        return self.build(
            name, lambda store: build_template(text, source, name, store, self._behaviour)
        )

    def build(self, name: str, write: Callable[[BaseStore], Template]) -> Template:
        """A sealed namespace with what ``write`` puts into it; none when that fails."""
        store = self._spaces.create(name, OrgSchema())
        try:
            found = write(store)
        except BaseException:
            store.close()
            self._spaces.drop(name)
            raise
        self._spaces.seal(store, name)
        return found


def is_saved(path: Path) -> bool:
    """Whether it is an org in a file (a zip) rather than the text of a definition."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False
