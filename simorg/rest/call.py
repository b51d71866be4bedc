"""One REST call and its answer, as the resource modules see them (no Flask in them).

The blueprint makes a ``Call`` from an HTTP request; ``/composite`` and ``/composite/batch`` make
one from each subrequest, so a subrequest runs exactly the code its own request would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from simorg.org.caller import Caller
from simorg.org.org import Org
from simorg.rest.body import Body

if TYPE_CHECKING:
    from simorg.rest.dispatch import Dispatcher


@dataclass(slots=True)
class Call:
    """An authenticated request below ``/services/data/vXX.X``."""

    caller: Caller
    version: int
    method: str  # the effective one: HEAD came as GET, _HttpMethod applied
    query: Mapping[str, str]
    #: the request's WSGI environment; a composite subrequest's holds its own headers only
    environ: Mapping[str, Any]
    body: Body
    dispatcher: Dispatcher
    #: path variables of the matched route
    params: dict[str, str] = field(default_factory=dict)

    @property
    def org(self) -> Org:
        return self.caller.org

    @property
    def base(self) -> str:
        """``/services/data/v67.0``"""
        return f"/services/data/v{self.version}.0"

    @property
    def sobjects(self) -> str:
        """``/services/data/v67.0/sobjects/``, the prefix of every record url."""
        return f"/services/data/v{self.version}.0/sobjects/"

    @property
    def raw_uri(self) -> str:
        """The request target as sent ("" when unknown): tells ``+`` from ``%2B`` in a path."""
        raw: str = self.environ.get("REQUEST_URI") or self.environ.get("RAW_URI") or ""
        return raw

    @property
    def origin(self) -> str:
        """Scheme and host the client used, ``https://localhost:8443``."""
        environ = self.environ
        return f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', 'localhost')}"

    def flag(self, name: str) -> bool:
        """A boolean query parameter; anything but ``true`` (any case) is false."""
        return self.query.get(name, "").strip().lower() == "true"


class Late(Protocol):
    """A value made when it is known what for: JSON has a shorter way than by plain values."""

    def value(self) -> Any:
        """Plain dicts and lists."""
        ...

    def json(self) -> bytes:
        """What dumping ``value()`` would give."""
        ...


@dataclass(slots=True)
class Reply:
    """``value`` is what JSON shows (None: no body); ``root`` names the XML document element.

    ``item`` names the elements of a list in XML. ``late`` stands for a value not made yet; ``raw``
    with ``content_type`` replaces them all.
    """

    value: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    root: str = "Result"
    item: str = "Item"
    late: Late | None = None
    raw: bytes | None = None
    content_type: str | None = None


Handler: TypeAlias = Callable[[Call], Reply]

NO_CONTENT = 204
CREATED = 201
