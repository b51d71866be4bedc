"""The shape of a scenario file: what its YAML may say. Names there are camel case."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from simorg.org.seeds.definition import Part

#: what a client may be asked to do (docs/scenarios.md, "Tasks")
Task = Literal["login", "query", "query-twice", "create", "update", "read-policy"]
#: how it gets its session
LoginKind = Literal["password", "soap", "jwt", "device", "refresh", "session"]
Count = Annotated[int, msgspec.Meta(ge=0)]


class LoginStep(Part):
    """``login``: the session that the client is given. ``flow`` as in ``Org.login``."""

    user: str
    app: str | None = None
    flow: str | None = None
    scope: str | None = None


class AppStep(Part):
    """``app``: what an administrator does with a connected app. Lists replace."""

    name: str
    installed: bool | None = None
    blocked: bool | None = None
    permitted_users: Literal["selfAuthorize", "adminApproved"] | None = None
    profiles: list[str] | None = None
    permission_sets: list[str] | None = None


class UserStep(Part):
    """``user``: what an administrator does with a user."""

    name: str
    active: bool | None = None
    frozen: bool | None = None
    profile: str | None = None
    assign: list[str] = []
    unassign: list[str] = []
    #: permissions by API name, given by a permission set of their own
    grant: list[str] = []


class AdvanceStep(Part):
    """``clock``: time passes."""

    seconds: float = 0
    minutes: float = 0
    hours: float = 0
    days: float = 0


class RecordStep(Part):
    """``record``: a record is made; the client finds its id in ``SIMORG_RECORD_ID``."""

    type: str
    fields: dict[str, Any]


class FaultStep(Part):
    """``fault``: calls of this org fail, as ``POST faults`` of the control API says."""

    answer: dict[str, Any]
    match: dict[str, Any] = {}
    calls: dict[str, Any] = {}


class Step(Part):
    """One change of the org; exactly one member is there."""

    settings: dict[str, dict[str, Any]] | None = None
    #: an app that was not there, as ``POST connected-apps`` of the control API makes it
    new_app: dict[str, Any] | None = None
    app: AppStep | None = None
    user: UserStep | None = None
    clock: AdvanceStep | None = None
    record: RecordStep | None = None
    login: LoginStep | None = None
    fault: FaultStep | None = None
    #: as ``PATCH limits`` of the control API
    limits: dict[str, dict[str, Any]] | None = None


class ClientPart(Part):
    """``client``: what it is to do, and what it is given."""

    task: Task
    login: LoginKind = "password"
    api: Literal["rest", "soap"] = "rest"
    #: the login step's, unless told
    user: str | None = None
    app: str | None = None
    #: instead of the user's own
    password: str | None = None
    soql: str | None = None


class Match(Part):
    """Which requests; members that are there must all fit."""

    surface: str | None = None
    operation: str | None = None
    method: str | None = None
    #: with ``*``
    path: str | None = None
    status: int | list[int] | None = None
    #: a word of the answer's body
    answer: str | None = None


class Requests(Match):
    """``requests``: how many of them the org saw."""

    at_least: Count | None = None
    at_most: Count | None = None
    exactly: Count | None = None
    #: count only what came after the first such request
    after: Match | None = None
    #: seconds from one to the next
    pause: Annotated[float, msgspec.Meta(gt=0)] | None = None


class Records(Part):
    """``records``: what is in the org afterwards."""

    soql: str
    count: Count


class Expectation(Part):
    """One thing that must hold after a run; exactly one member besides ``why`` is there."""

    #: ``done`` is 0, ``failed`` anything else but a run that had to be stopped
    exit: Literal["done", "failed"] | int | None = None
    #: all of them in the output, in any case; an inner list: one of them
    says: list[str | list[str]] | None = None
    says_not: list[str] | None = None
    requests: Requests | None = None
    records: Records | None = None
    why: str | None = None


class During(Part, kw_only=True):
    """``while``: what happens in the org while the client runs, when one of the two is so."""

    #: the client waits in ``query-twice``
    asked: bool = False
    #: the org has seen such a request
    seen: Match | None = None
    sets: list[Step]


class Run(Part, kw_only=True):
    """One run of the client."""

    title: str | None = None
    sets: list[Step] = []
    client: ClientPart
    during: list[During] = msgspec.field(default=[], name="while")
    expect: list[Expectation]


class Scenario(Part, kw_only=True):
    """A whole file."""

    name: Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9][a-z0-9-]{0,60}\Z")]
    title: str
    tags: list[str] = []
    #: what goes wrong in the wild, and who met it
    trouble: str
    sources: list[str] = []
    #: in words
    correct: str
    #: an org definition beside the file, or the definition itself; the default org otherwise
    org: str | dict[str, Any] | None = None
    edition: str | None = None
    #: before the first run
    sets: list[Step] = []
    runs: list[Run]
