"""Who is calling: the value every operation receives (design decision 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from simorg.errors import RecordError
    from simorg.org.org import Org

#: where a request's WSGI environment holds ``CallOptions.strike``
STRIKE = "simorg.strike"


class Strike(Protocol):
    """What refuses some records of a request, for a test (docs/faults.md)."""

    def begin(self, count: int) -> None:
        """A save of so many records begins; a request may bring several."""
        ...

    def refusal(self, index: int, id: str | None) -> RecordError | None:
        """Why the record at that place of the save is refused, if it is."""
        ...


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What headers ask of an operation; the defaults are Salesforce's."""

    all_or_none: bool = False
    batch_size: int | None = None  # QueryOptions / Sforce-Query-Options, 200..2000
    allow_field_truncation: bool = False
    client: str | None = None  # CallOptions.client / Sforce-Call-Options
    default_namespace: str | None = None
    strike: Strike | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """A user acting in an org through a session. Built by ``access``; ``org`` only reads it."""

    org: Org
    user_id: str  # 18 characters
    username: str
    profile_id: str
    user_type: str  # Standard, PowerPartner, CspLitePortal, ...
    permissions: frozenset[str]  # API names without "Permissions": ApiEnabled, ViewSetup, ...
    api_version: int = 67
    surface: str = "rest"  # rest soap bulk control system
    session_id: str | None = None  # AuthSession id (0Ak)
    flow: str | None = None  # see access.model.Flow
    app_id: str | None = None  # ConnectedApplication id
    time_zone: str = "America/Los_Angeles"
    locale: str = "en_US"
    options: CallOptions = field(default_factory=CallOptions)
    #: values of caller-dependent bound parameters (``Behaviour.computed``), by parameter name
    bound: Mapping[str, Any] = field(default_factory=dict)
    #: the server itself: no permission or property check applies
    system: bool = False

    def may(self, permission: str) -> bool:
        return self.system or permission in self.permissions

    def with_options(self, **changes: Any) -> Caller:
        return replace(self, options=replace(self.options, **changes))
