"""Calls that fail on purpose: ``org.fail_next("UNABLE_TO_LOCK_ROW", operation="sobject.update")``.

docs/faults.md says what there is to choose from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from simorg.testing.errors import ControlRefused

if TYPE_CHECKING:
    from simorg.testing.apps import App
    from simorg.testing.transport import Transport
    from simorg.testing.users import User


class FaultOptions(TypedDict, total=False):
    """What ``fail_next`` takes beside its first argument."""

    # which calls
    surface: str | None
    operation: str | None
    method: str | None
    #: a pattern: ``*/sobjects/Account/*``
    path: str | None
    user: str | User | None
    app: str | App | None
    #: an sObject type
    object: str | None
    #: how many of them: 1 unless told, None for all
    times: int | None
    #: calls let through first
    after: int
    #: every n-th
    every: int
    #: the n-th only; instead of ``times``, ``after`` and ``every``
    nth: int
    probability: float
    seed: int
    # what they get
    message: str | None
    status: int | None
    fields: Sequence[str]
    body: Any
    headers: Mapping[str, str]
    #: seconds, or the least and the most
    delay: float | tuple[float, float] | None
    #: do the work first, then fail
    after_handling: bool
    #: places of the records that fail, or every n-th
    records: Sequence[int] | int | None
    #: bytes that are sent, or a share below 1
    truncate: float | None
    #: bytes a second
    slow: float | None


class Fault:
    """A fault that is set; a context manager that removes it at its end."""

    def __init__(self, transport: Transport, told: Mapping[str, Any]) -> None:
        self._transport = transport
        self.id: str = told["id"]
        #: ``{match, calls, answer}`` as the server keeps it
        self.rule: dict[str, Any] = {key: told[key] for key in ("match", "calls", "answer")}

    def __repr__(self) -> str:
        return f"Fault({self.id!r}, {self.rule!r})"

    def _now(self) -> dict[str, Any]:
        found: dict[str, Any] = self._transport.control("GET", f"faults/{self.id}")
        return found

    @property
    def hits(self) -> int:
        """How many calls it has hit."""
        return int(self._now()["hits"])

    @property
    def seen(self) -> int:
        """How many calls it was for, hit or not."""
        return int(self._now()["seen"])

    @property
    def remaining(self) -> int | None:
        """Hits to come; None without an end."""
        found: int | None = self._now()["remaining"]
        return found

    def remove(self) -> None:
        """Take it back, if it is still there."""
        try:
            self._transport.control("DELETE", f"faults/{self.id}")
        except ControlRefused as error:
            if error.code != "not_found":
                raise

    def __enter__(self) -> Fault:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class Faults:
    """The faults of an org, or of a whole server."""

    def __init__(self, transport: Transport, org: str | None = None) -> None:
        self._transport = transport
        self._org = org
        self._path = f"faults?org={org}" if org else "faults"

    def all(self) -> list[Fault]:
        """In the order they were set, spent ones too."""
        told = self._transport.control("GET", self._path)["faults"]
        return [Fault(self._transport, one) for one in told]

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    def add(
        self,
        answer: Mapping[str, Any],
        *,
        match: Mapping[str, Any] | None = None,
        calls: Mapping[str, Any] | None = None,
    ) -> Fault:
        """A fault in the control API's words. Raises ``ControlRefused``."""
        where = {**({"org": self._org} if self._org else {}), **(match or {})}
        asked = {"match": where, "calls": dict(calls or {}), "answer": dict(answer)}
        return Fault(self._transport, self._transport.control("POST", "faults", asked))

    def clear(self) -> None:
        """Remove all of them."""
        self._transport.control("DELETE", self._path)

    def fail_next(self, what: str | int | None = None, **options: Unpack[FaultOptions]) -> Fault:
        """See ``Org.fail_next``."""
        asked: dict[str, Any] = {**({} if "nth" in options else {"times": 1}), **options}
        if unknown := asked.keys() - FaultOptions.__annotations__.keys():
            raise TypeError(f"fail_next() has no option {', '.join(sorted(unknown))}")
        for name in ("user", "app"):
            held = asked.get(name)
            asked[name] = getattr(held, _NAMED[name], held)
        delay, records = asked.get("delay"), asked.get("records")
        if isinstance(delay, tuple):
            asked["delay"] = {"min": delay[0], "max": delay[1]}
        if isinstance(records, int):
            asked["records"] = {"every": records}
        asked["handled"] = asked.get("after_handling") or None
        return self.add(
            {**_what(what), **_given(asked, _ANSWER)},
            match=_given(asked, _MATCH),
            calls=_given(asked, _CALLS),
        )


_NAMED = {"user": "username", "app": "name"}
_MATCH = ("surface", "operation", "method", "path", "user", "app", "object")
_CALLS = ("times", "after", "every", "nth", "probability", "seed")
_ANSWER = (
    "message",
    "status",
    "fields",
    "body",
    "headers",
    "delay",
    "handled",
    "records",
    "truncate",
    "slow",
)


def _what(what: str | int | None) -> dict[str, Any]:
    """The first argument: what is done to the connection, an HTTP status, or an error."""
    if what is None:
        return {}
    if isinstance(what, int):
        return {"status": what}
    plain: dict[str, dict[str, Any]] = {
        "drop": {"drop": True},
        "close": {"drop": "close"},
        "malformed": {"malformed": True},
    }
    return plain.get(what, {"error": what})


def _given(asked: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: asked[name] for name in names if asked.get(name) is not None}
