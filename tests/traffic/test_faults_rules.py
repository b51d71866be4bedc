"""What may be told of a fault, and what is refused with the member at fault."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorg.errors import SalesforceError
from simorg.rest.routes import ROUTER
from simorg.soap.apis import METADATA, PARTNER, Api
from simorg.traffic import fault_names, names
from simorg.traffic.fault_codes import CODES, KINDS, find
from simorg.traffic.fault_rules import FaultRefused, Span, read

DROP = {"drop": True}


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"answer": {}}, "answer"),
        ({"answer": {"drop": False}}, "answer"),
        ({"answer": DROP, "match": {"surface": "fax"}}, "match.surface"),
        ({"answer": DROP, "match": {"method": "GET /"}}, "match.method"),
        ({"answer": DROP, "match": {"operation": "sobject.craete"}}, "match.operation"),
        ({"answer": DROP, "match": {"operation": "sob*.x"}}, "match.operation"),
        (
            {"answer": DROP, "match": {"surface": "soap", "operation": "sobject.create"}},
            "match.operation",
        ),
        ({"answer": DROP, "calls": {"nth": 2, "times": 1}}, "calls.times"),
        ({"answer": DROP, "calls": {"nth": 2, "after": 1}}, "calls.after"),
        ({"answer": DROP, "calls": {"seed": 2}}, "calls.seed"),
        ({"answer": {"message": "x", "drop": True}}, "answer.message"),
        ({"answer": {"headers": {}, "drop": True}}, "answer.headers"),
        ({"answer": {"handled": True}}, "answer.handled"),
        ({"answer": {"body": "x"}}, "answer.body"),
        ({"answer": {"records": [1], "delay": 1}}, "answer.records"),
        ({"answer": {"drop": True, "error": "rowLock"}}, "answer.error"),
        ({"answer": {"drop": True, "slow": 5}}, "answer.slow"),
        ({"answer": {"truncate": 5, "malformed": True}}, "answer.truncate"),
        ({"answer": {"truncate": 1.5}}, "answer.truncate"),
        ({"answer": {"error": "rowLock", "body": "x", "status": 400}}, "answer.body"),
        ({"answer": {"error": "rowLock", "records": [0], "status": 400}}, "answer.status"),
        ({"answer": {"error": "rowLock", "records": [0], "handled": True}}, "answer.handled"),
        (
            {"answer": {"error": "rowLock", "records": [0]}, "match": {"operation": "query"}},
            "match.operation",
        ),
        ({"answer": {"delay": {"min": 2, "max": 1}}}, "answer.delay.min"),
        ({"answer": {"status": 200, "headers": {"a b": "x"}}}, "answer.headers.a b"),
        ({"answer": {"status": 200, "headers": {"X-A": "x\r\ny: z"}}}, "answer.headers.X-A"),
        ({"answer": {"status": 200, "headers": {"X-A": "é"}}}, "answer.headers.X-A"),
        ({"answer": {"status": 200, "body": "x" * 2_000_000}}, "answer.body"),
        ({"answer": {"error": "NO_SUCH_CODE"}}, "answer.message"),
        ({"answer": {"error": "NO_SUCH_CODE", "message": "x"}}, "answer.status"),
        ({"answer": {"error": "MALFORMED_QUERY"}}, "answer.message"),
        ({"answer": {"error": "not a code", "message": "x", "status": 400}}, "answer.error"),
        (
            {"answer": {"error": "invalid_grant"}, "match": {"surface": "rest"}},
            "answer.error",
        ),
    ],
)
def test_refused(asked: dict[str, Any], path: str) -> None:
    with pytest.raises(FaultRefused) as caught:
        read(asked)
    assert caught.value.path == path
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({}, "answer"),
        ({"answer": DROP, "match": {"colour": "red"}}, "`$.match`"),
        ({"answer": DROP, "extra": 1}, "extra"),
        ({"answer": DROP, "match": {"path": ""}}, "`$.match.path`"),
        ({"answer": DROP, "calls": {"after": -1}}, "`$.calls.after`"),
        ({"answer": DROP, "calls": {"times": 0}}, "`$.calls.times`"),
        ({"answer": DROP, "calls": {"every": True}}, "`$.calls.every`"),
        ({"answer": DROP, "calls": {"probability": 1.1}}, "`$.calls.probability`"),
        ({"answer": {"delay": -1}}, "`$.answer.delay`"),
        ({"answer": {"delay": 301}}, "`$.answer.delay`"),
        ({"answer": {"delay": {"max": 301}}}, "`$.answer.delay.max`"),
        ({"answer": {"drop": "gently"}}, "`$.answer.drop`"),
        ({"answer": {"slow": 0}}, "`$.answer.slow`"),
        ({"answer": {"truncate": -1}}, "`$.answer.truncate`"),
        ({"answer": {"status": 99}}, "`$.answer.status`"),
        ({"answer": {"error": "rowLock", "records": [-1]}}, "`$.answer.records[0]`"),
        ({"answer": {"error": "rowLock", "records": {"every": 0}}}, "`$.answer.records.every`"),
        ([], "object"),
    ],
)
def test_misfits(asked: Any, where: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        read(asked)
    assert where in str(caught.value)


json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 400) | st.floats(-1, 2) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
members = st.sampled_from(["error", "status", "drop", "delay", "truncate", "body", "records"])


@given(st.dictionaries(members, json), st.dictionaries(st.sampled_from(["after", "nth"]), json))
def test_whatever_is_sent_is_kept_or_refused(answer: Any, calls: Any) -> None:
    try:
        rule = read({"answer": answer, "calls": calls})
    except (FaultRefused, msgspec.ValidationError):
        return
    assert read(rule.told()) == rule


def test_delays_are_drawn_within_their_span() -> None:
    rule = read({"answer": {"delay": {"min": 1, "max": 2}}})
    assert isinstance(rule.answer.delay, Span) and rule.answer.delay.seed is not None
    drawn = [rule.answer.wait(call) for call in range(1, 50)]
    assert all(1 <= one <= 2 for one in drawn) and len(set(drawn)) > 40
    assert drawn == [rule.answer.wait(call) for call in range(1, 50)]


def test_every_known_code_can_be_asked_for() -> None:
    for word in [*CODES, *KINDS]:
        code = find(word)
        assert code is not None
        told = {"error": word} if code.message else {"error": word, "message": "so it is"}
        assert read({"answer": told}).code is not None
    assert find("unable_to_lock_row") is CODES["UNABLE_TO_LOCK_ROW"]
    assert find("INVALID_GRANT") is CODES["invalid_grant"]


def subclasses(kind: type[SalesforceError]) -> set[type[SalesforceError]]:
    return {kind} | {found for sub in kind.__subclasses__() for found in subclasses(sub)}


def test_words_and_statuses_are_those_of_the_error_tree() -> None:
    """A fault must not teach a client other words than the real refusal's."""
    known = [*CODES.values(), *KINDS.values()]
    seen = 0
    for kind in subclasses(SalesforceError):
        ours = {(c.message, c.status) for c in known if c.code == kind.code}
        if kind.__module__ != "simorg.errors" or not ours or "{" in kind.template:
            continue
        # the first is API Access Control's; REST has no login(), so its status is ours
        if kind.__name__ in ("SessionNotForApi", "LoginError"):
            continue
        seen += 1
        assert (kind.template, kind.status) in ours, kind
    assert seen >= 5


def routes() -> set[str]:
    found = set()
    for route in ROUTER.routes:
        parts = [part for part in route.path.split("/") if part]
        filled = ["Account" if p == "{type}" else "x" if p[0] == "{" else p for p in parts]
        found |= {names.rest_operation(verb, filled) for verb in route.handlers}
    return found


def test_every_operation_of_rest_has_a_name_that_is_known() -> None:
    named = routes() - {names.UNKNOWN}
    assert len(named) > 20
    assert named <= fault_names.operations("rest")


@pytest.mark.parametrize(("api", "surface"), [(PARTNER, "soap"), (METADATA, "metadata")])
def test_every_operation_of_soap_is_known(api: Api, surface: str) -> None:
    served = set(api._service.public_methods)
    assert served and served <= fault_names.operations(surface)


@pytest.mark.parametrize(
    ("operation", "surface", "known"),
    [
        ("sobject.*", None, True),
        ("SOBJECT.Create", "rest", True),
        ("querymore", "soap", True),
        ("query*", "metadata", False),
        ("token", "oauth", True),
        ("token", "rest", False),
        ("ManageUsers", "setup", True),
        ("*", None, True),
        ("jobs", "bulk", True),
    ],
)
def test_patterns(operation: str, surface: str | None, known: bool) -> None:
    assert fault_names.is_known(operation, surface) is known
