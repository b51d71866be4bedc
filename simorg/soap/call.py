"""One SOAP call: where it came from, its headers, and who turned out to be calling."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simorg.org.caller import STRIKE, Caller
from simorg.soap.records import RecordWriters

if TYPE_CHECKING:
    from simorg.org.catalogue import OrgCatalogue

#: rows per batch without QueryOptions, and the range it may ask for
#: https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_header_queryoptions.htm
DEFAULT_BATCH, LEAST_BATCH, MOST_BATCH = 500, 200, 2000


@dataclass(slots=True)
class Call:
    """The context of a call, made by the endpoint, completed by the protocol and the service."""

    catalogue: OrgCatalogue
    records: RecordWriters
    #: scheme and Host of the request: every URL handed out begins with it
    root: str
    version: int
    client_ip: str
    path: str
    #: the request's WSGI environment
    environ: MutableMapping[str, Any] = field(default_factory=dict)
    #: decoded headers by element name
    headers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    caller: Caller | None = None

    def header(self, name: str, member: str) -> Any:
        """A member of a header, None when either was not sent."""
        return self.headers.get(name, {}).get(member)

    @property
    def token(self) -> str:
        """SessionHeader's session id, empty when there is none."""
        return str(self.header("SessionHeader", "sessionId") or "").strip()

    @property
    def client(self) -> str | None:
        value = self.header("CallOptions", "client")
        return str(value) if value else None

    def known(self) -> Caller:
        """The caller; only for operations that need a session."""
        if self.caller is None:
            raise RuntimeError("the operation was called before its session was checked")
        return self.caller

    def options(self) -> dict[str, Any]:
        """The headers that ``CallOptions`` of the operation layer carries."""
        size = self.header("QueryOptions", "batchSize")
        batch = DEFAULT_BATCH if size is None else min(max(size, LEAST_BATCH), MOST_BATCH)
        return {
            "all_or_none": bool(self.header("AllOrNoneHeader", "allOrNone")),
            "batch_size": batch,
            "allow_field_truncation": bool(
                self.header("AllowFieldTruncationHeader", "allowFieldTruncation")
            ),
            "client": self.client,
            "default_namespace": self.header("CallOptions", "defaultNamespace") or None,
            "strike": self.environ.get(STRIKE),
        }
