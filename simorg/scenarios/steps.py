"""Putting an org into a state, step by step, over the control API."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from simorg.scenarios.model import AppStep, FaultStep, LoginStep, RecordStep, Step, UserStep
from simorg.scenarios.parse import Place, ScenarioFile
from simorg.testing.errors import SimorgError

if TYPE_CHECKING:
    from simorg.testing.org import Org
    from simorg.testing.session import Session


@dataclass
class Stage:
    """An org on its way through a scenario, and what the client is given."""

    file: ScenarioFile
    org: Org
    #: once set, whatever runs is to end
    stopping: threading.Event | None = None
    #: of the last ``login`` step
    session: Session | None = None
    login: LoginStep | None = None
    #: of the last ``record`` step
    record_id: str | None = None

    def apply(self, steps: list[Step], place: Place) -> None:
        """Take the steps in order. Raises ``ScenarioError`` at the step that cannot be taken."""
        for n, step in enumerate(steps):
            try:
                self._take(step)
            except (SimorgError, LookupError, TypeError, ValueError) as error:
                raise self.file.error((*place, n), str(error)) from error

    def _take(self, step: Step) -> None:
        for name, do in _WAYS.items():
            if (asked := getattr(step, name)) is not None:
                do(self, asked)
                return


def _settings(stage: Stage, asked: dict[str, dict[str, object]]) -> None:
    stage.org.control("PATCH", "settings", asked)


def _new_app(stage: Stage, asked: dict[str, object]) -> None:
    stage.org.control("POST", "connected-apps", asked)


def _app(stage: Stage, asked: AppStep) -> None:
    changes = {
        "installed": asked.installed,
        "blocked": asked.blocked,
        "permittedUsers": asked.permitted_users,
        "profiles": asked.profiles,
        "permissionSets": asked.permission_sets,
    }
    told = {name: value for name, value in changes.items() if value is not None}
    stage.org.control("PATCH", f"connected-apps/{stage.org.app(asked.name).id}", told)


def _user(stage: Stage, asked: UserStep) -> None:
    user = stage.org.user(asked.name)
    if asked.profile is not None:
        user.profile = asked.profile
    for name in asked.assign:
        user.assign(name)
    for name in asked.unassign:
        user.unassign(name)
    if asked.grant:
        user.grant(*asked.grant)
    if asked.active is not None:
        user.update(IsActive=asked.active)
    if asked.frozen is not None:
        (user.freeze if asked.frozen else user.unfreeze)()


def _clock(stage: Stage, asked: msgspec.Struct) -> None:
    stage.org.clock.advance(**msgspec.structs.asdict(asked))


def _record(stage: Stage, asked: RecordStep) -> None:
    stage.record_id = stage.org.create(asked.type, **asked.fields)


def _login(stage: Stage, asked: LoginStep) -> None:
    options = {} if asked.scope is None else {"scope": asked.scope}
    stage.session = stage.org.login(asked.user, app=asked.app, flow=asked.flow, **options)
    stage.login = asked


def _fault(stage: Stage, asked: FaultStep) -> None:
    stage.org.faults.add(asked.answer, match=asked.match, calls=asked.calls)


def _limits(stage: Stage, asked: dict[str, dict[str, object]]) -> None:
    stage.org.control("PATCH", "limits", asked)


_WAYS: dict[str, Callable[..., None]] = {
    "settings": _settings,
    "new_app": _new_app,
    "app": _app,
    "user": _user,
    "clock": _clock,
    "record": _record,
    "login": _login,
    "fault": _fault,
    "limits": _limits,
}
