"""SOSL: FIND, IN, RETURNING, LIMIT."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simorg.errors import InvalidField, InvalidType, MalformedSearch, QueryError
from simorg.org import query
from simorg.org.caller import Caller
from simorg.org.catalogue import OrgCatalogue
from tests.org.soql_kit import insert, shown, user


@pytest.fixture(scope="module")
def caller(shared_catalogue: OrgCatalogue) -> Iterator[Caller]:
    org = shared_catalogue.create()
    made = user(org)
    [account] = insert(made, "Account", [{"Name": "Zanzibar Trading", "Phone": "(415) 555-1212"}])
    insert(made, "Account", [{"Name": "Zanzi-Bar", "Website": "zanzibar.example"}])
    insert(
        made,
        "Contact",
        [
            {"FirstName": "Quentin", "LastName": "Zanzibar", "Email": "q.z@zanzi.example",
             "AccountId": account},
            {"LastName": "Änderung 100%", "Title": "Queen's O'Brien"},
        ],
    )  # fmt: skip
    yield made
    shared_catalogue.delete(org.id)


def found(caller: Caller, sosl: str) -> dict[str | None, list[str]]:
    result = query.search(caller, sosl)
    return {
        layout.sobject: sorted(str(shown(layout, row).get("Name")) for row in rows)
        for layout, rows in result.groups
    }


@pytest.mark.parametrize(
    ("term", "accounts", "contacts"),
    [
        ("{zanzibar}", ["Zanzi-Bar", "Zanzibar Trading"], ["Quentin Zanzibar"]),
        ("{zanzibar} IN NAME FIELDS", ["Zanzibar Trading"], ["Quentin Zanzibar"]),
        ("{zan*} IN NAME FIELDS", ["Zanzi-Bar", "Zanzibar Trading"], ["Quentin Zanzibar"]),
        ("{zanz?bar} in name fields", ["Zanzibar Trading"], ["Quentin Zanzibar"]),
        ("{zanzi bar} IN NAME FIELDS", ["Zanzi-Bar"], []),
        ('{"zanzi bar"} IN NAME FIELDS', ["Zanzi-Bar"], []),
        ('{"trading zanzibar"}', [], []),
        ("{trading zanzibar}", ["Zanzibar Trading"], []),
        ("{zanzi OR quentin}", ["Zanzi-Bar"], ["Quentin Zanzibar"]),
        ("{zanzibar AND NOT trading} IN NAME FIELDS", [], ["Quentin Zanzibar"]),
        ("{(trading OR quentin) AND zanzibar}", ["Zanzibar Trading"], ["Quentin Zanzibar"]),
        ("{415 AND 1212} IN PHONE FIELDS", ["Zanzibar Trading"], []),
        ("{zanzi} IN EMAIL FIELDS", [], ["Quentin Zanzibar"]),
        ("{100%}", [], ["Änderung 100%"]),
        ("{o'brien AND änderung}", [], ["Änderung 100%"]),
        ("{queen\\'s AND ÄNDERUNG}", [], ["Änderung 100%"]),
        ("{nowhere}", [], []),
    ],
)
def test_terms(caller: Caller, term: str, accounts: list[str], contacts: list[str]) -> None:
    answer = found(caller, f"FIND {term} RETURNING Account(Name), Contact(Id, Name)")
    assert answer == {"Account": accounts, "Contact": contacts}


def test_returning_takes_conditions_order_and_limits(caller: Caller) -> None:
    text = (
        "find {zan*} in all fields returning account(NAME where Phone = null order by Name),"
        " Contact(Name, Account.Name LIMIT 1) limit 10"
    )
    assert found(caller, text) == {"Account": ["Zanzi-Bar"], "Contact": ["Quentin Zanzibar"]}
    sorted_down = "FIND {zan*} RETURNING Account(Name ORDER BY Name DESC)"
    [(layout, rows)] = query.search(caller, sorted_down).groups
    assert [shown(layout, row)["Name"] for row in rows] == ["Zanzibar Trading", "Zanzi-Bar"]
    result = query.search(caller, "FIND {zan*} RETURNING Account(Id), Contact(Id) LIMIT 2")
    assert (result.total_size, [len(rows) for _, rows in result.groups]) == (2, [2, 0])


def test_only_ids_without_a_field_list(caller: Caller) -> None:
    result = query.search(caller, "FIND {trading} RETURNING Account")
    [(layout, rows)] = result.groups
    assert list(shown(layout, rows[0])) == ["Id"]


def test_everything_searchable_without_returning(caller: Caller) -> None:
    result = query.search(caller, "FIND {zanzibar}")
    sizes = {layout.sobject: len(rows) for layout, rows in result.groups}
    assert sizes["Account"] == 2 and sizes["Contact"] == 1
    assert result.total_size == sum(sizes.values())


@pytest.mark.parametrize(
    ("sosl", "error", "words"),
    [
        ("", MalformedSearch, "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account", MalformedSearch, "unexpected token: 'SELECT'"),
        ("FIND zanzibar", MalformedSearch, "unexpected token"),
        ("FIND {zan", MalformedSearch, "unexpected token"),
        ("FIND {}", MalformedSearch, "unexpected token: '}'"),
        ("FIND {a}", MalformedSearch, "search term must be longer than one character: a"),
        ("FIND {*zan}", MalformedSearch, "cannot begin with a wildcard"),
        ("FIND {zan AND}", MalformedSearch, "unexpected token: '}'"),
        ("FIND {(zan}", MalformedSearch, "unexpected token: '}'"),
        ("FIND {zan)}", MalformedSearch, "unexpected token: ')'"),
        ("FIND {zan} IN SOME FIELDS", MalformedSearch, "unexpected token: 'IN'"),
        ("FIND {zan} RETURNING", MalformedSearch, "unexpected token: '<EOF>'"),
        ("FIND {zan} RETURNING Account(Name", MalformedSearch, "unexpected token: '<EOF>'"),
        ("FIND {zan} RETURNING Foo", InvalidType, "sObject type 'Foo' is not supported"),
        ("FIND {zan} RETURNING Account(Foo)", InvalidField, "No such column 'Foo'"),
        ("FIND {zan} WITH NETWORK = 'x'", MalformedSearch, "WITH NETWORK is not supported"),
        ("FIND {" + "zan " * 6000 + "}", MalformedSearch, "longer than"),
    ],
)
def test_refusals(caller: Caller, sosl: str, error: type[QueryError], words: str) -> None:
    with pytest.raises(error) as caught:
        query.search(caller, sosl)
    assert words in caught.value.message


def test_deep_terms_are_refused_not_overflowing(caller: Caller) -> None:
    for term in ("(" * 5000 + "zan", "NOT " * 4000 + "zan", "zan OR " * 2500 + "zan"):
        try:
            query.search(caller, f"FIND {{{term}}} RETURNING Account")
        except MalformedSearch:
            pass
