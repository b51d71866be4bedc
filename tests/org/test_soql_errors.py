"""Refusals: codes, words, and where they point."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from simorg.errors import (
    InvalidField,
    InvalidType,
    MalformedQuery,
    QueryError,
    SalesforceError,
)
from simorg.org import query
from simorg.org.catalogue import OrgCatalogue
from simorg.org.org import Org
from simorg.org.query.messages import excerpt
from tests.org.soql_kit import things, user

FIELD, TYPE, MALFORMED = "INVALID_FIELD", "INVALID_TYPE", "MALFORMED_QUERY"
FILTER = "INVALID_QUERY_FILTER_OPERATOR"
REFERENCE = "Please reference your WSDL or the describe call for the appropriate names."


@pytest.fixture(scope="module")
def made(shared_catalogue: OrgCatalogue) -> Iterator[Org]:
    """One org for all refusals: they change nothing."""
    org = shared_catalogue.create()
    things(org)
    yield org
    shared_catalogue.delete(org.id)


REFUSED = [
    # syntax
    ("", MALFORMED, 1, "unexpected token: '<EOF>'"),
    ("SELECT", MALFORMED, 7, "unexpected token: '<EOF>'"),
    ("SELECT Id", MALFORMED, 10, "unexpected token: '<EOF>'"),
    ("SELECT Id FORM Account", MALFORMED, 16, "unexpected token: 'Account'"),
    ("SELECT * FROM Account", MALFORMED, 8, "unexpected token: '*'"),
    ("SELECT Id, FROM Account", MALFORMED, 12, "unexpected token: 'FROM'"),
    ("SELECT Id FROM Account;", MALFORMED, 23, "unexpected token: ';'"),
    ("UPDATE Account", MALFORMED, 1, "unexpected token: 'UPDATE'"),
    ("SELECT Id FROM Account WHERE Name = 'a", MALFORMED, 39,
     "line 1:38 mismatched character '<EOF>' expecting '''"),
    ('SELECT Id FROM Account WHERE Name = "a"', MALFORMED, 37,
     "line 1:36 no viable alternative at character '\"'"),
    ("SELECT Id FROM Account WHERE Id = $id", MALFORMED, 35,
     "line 1:34 no viable alternative at character '$'"),
    ("SELECT Id FROM Account WHERE Name = :name", MALFORMED, 37,
     "Bind variables only allowed in Apex code"),
    ("SELECT Id FROM Account WHERE Name = 'a' AND Phone = 'b' OR Fax = 'c'", MALFORMED, 57,
     "unexpected token: 'OR'"),
    ("SELECT Id FROM Account WHERE Name = 'a' OR Phone = 'b' AND Fax = 'c'", MALFORMED, 56,
     "unexpected token: 'AND'"),
    ("SELECT Id FROM Account WHERE Name IN ()", MALFORMED, 39, "unexpected token: ')'"),
    ("SELECT Id FROM Account WHERE Name IS NULL", MALFORMED, 35, "unexpected token: 'IS'"),
    ("SELECT Id FROM Account WHERE Name = Phone", MALFORMED, 37, "unexpected token: 'Phone'"),
    ("SELECT Id FROM Account LIMIT -1", MALFORMED, 30, "unexpected token: '-'"),
    (r"SELECT Id FROM Account WHERE Name = 'a\z'", MALFORMED, 37,
     r"Invalid string literal 'a\z'. Illegal character sequence '\z' in string literal"),
    ("SELECT Id FROM Contact WHERE Birthdate = 2024-02-30", MALFORMED, 42,
     "Invalid date: 2024-02-30"),
    # names
    ("SELECT Foo FROM Account", FIELD, 8,
     "No such column 'Foo' on entity 'Account'. If you are attempting to use a custom field, be "
     "sure to append the '__c' after the custom field name. " + REFERENCE),
    ("SELECT Account.Foo FROM Contact", FIELD, 8, "No such column 'Foo' on entity 'Account'."),
    ("SELECT Id FROM Foo", TYPE, 16,
     "sObject type 'Foo' is not supported. If you are attempting to use a custom object, be sure "
     "to append the '__c' after the entity name. " + REFERENCE),
    ("SELECT Foo.Name FROM Contact", FIELD, 8,
     "Didn't understand relationship 'Foo' in field path. If you are attempting to use a custom "
     "relationship, be sure to append the '__r' after the custom relationship name. " + REFERENCE),
    ("SELECT Id, (SELECT Id FROM Foos) FROM Account", TYPE, 28,
     "Didn't understand relationship 'Foos' in FROM part of query call."),
    ("SELECT Owner.Industry FROM Case", FIELD, 8, "No such column 'Industry' on entity 'Name'."),
    ("SELECT simorg_PasswordHash FROM User", FIELD, 8,
     "No such column 'simorg_PasswordHash' on entity 'User'."),
    ("SELECT Id FROM User WHERE simorg_PasswordHash != null", FIELD, 27,
     "No such column 'simorg_PasswordHash' on entity 'User'."),
    ("SELECT Id FROM User ORDER BY simorg_PasswordHash", FIELD, 30,
     "No such column 'simorg_PasswordHash' on entity 'User'."),
    # properties of fields, types of literals
    ("SELECT Id FROM Thing__c WHERE Long__c = 'a'", FIELD, 31,
     "field 'Long__c' can not be filtered in a query call"),
    ("SELECT Id FROM Thing__c ORDER BY Long__c", MALFORMED, 34,
     "field 'Long__c' can not be sorted in a query call"),
    ("SELECT COUNT(Id) FROM Thing__c GROUP BY Num__c", MALFORMED, 41,
     "field 'Num__c' can not be grouped in a query call"),
    ("SELECT Id FROM Account WHERE CreatedDate = '2020-01-01'", FIELD, 30,
     "value of filter criterion for field 'CreatedDate' must be of type dateTime and should not "
     "be enclosed in quotes"),
    ("SELECT Id FROM Account WHERE CreatedDate = 2020-01-01", FIELD, 30,
     "value of filter criterion for field 'CreatedDate' must be of type dateTime"),
    ("SELECT Id FROM Account WHERE Name = 5", FIELD, 30,
     "value of filter criterion for field 'Name' must be of type string and should be enclosed"),
    ("SELECT Id FROM Thing__c WHERE Num__c IN ('1', '2')", FIELD, 31,
     "value of filter criterion for field 'Num__c' must be of type double and should not be"),
    ("SELECT Id FROM Thing__c WHERE Flag__c = 'true'", FIELD, 31,
     "value of filter criterion for field 'Flag__c' must be of type boolean and should not be"),
    ("SELECT Id FROM Thing__c WHERE Day__c = ''", FIELD, 31,
     "value of filter criterion for field 'Day__c' must be of type date and should not be"),
    ("SELECT Id FROM Account WHERE Name = TODAY", FIELD, 30,
     "value of filter criterion for field 'Name' must be of type string"),
    ("SELECT Id FROM Account WHERE Id = 'x'", FILTER, 30, "invalid ID field: x"),
    ("SELECT Id FROM Account WHERE OwnerId IN ('005000000000000', 'zzz')", FILTER, 61,
     "invalid ID field: zzz"),
    ("SELECT Id FROM Account WHERE Id LIKE '001%'", FILTER, 30, "invalid operator on id field"),
    ("SELECT Id FROM Thing__c WHERE Text__c INCLUDES ('a')", FILTER, 31,
     "includes or excludes operator only valid on multipicklist field"),
    ("SELECT Id FROM Account WHERE BillingAddress = 'a'", FILTER, 30,
     "Address fields can only be filtered using Distance expressions"),
    # field lists
    ("SELECT Id, Name, id FROM Account", FIELD, 18, "duplicate field selected: Id"),
    ("SELECT Name n FROM Account", MALFORMED, 8, "only aggregate expressions use field aliasing"),
    ("SELECT Id Name FROM Account", MALFORMED, 8, "only aggregate expressions use field aliasing"),
    ("SELECT Name, COUNT(Id) FROM Account", MALFORMED, 8,
     "Field must be grouped or aggregated: Name"),
    ("SELECT COUNT(Id), MAX(Name) expr0 FROM Account", MALFORMED, 19, "duplicate alias: expr0"),
    ("SELECT SUM(Name) FROM Account", MALFORMED, 8,
     "field Name does not support aggregate operator SUM"),
    ("SELECT MAX(CreatedDate) FROM Account LIMIT 1", MALFORMED, 44,
     "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"),
    ("SELECT (SELECT COUNT(Id) FROM Contacts) FROM Account", MALFORMED, 16,
     "only root queries support aggregate expressions"),
    ("SELECT FOO(Id) FROM Account", MALFORMED, 8, "unexpected token: 'FOO'"),
    # subqueries
    ("SELECT Id FROM Account WHERE Name = 'a' OR Id IN (SELECT AccountId FROM Contact)",
     MALFORMED, 44, "Semi join sub-selects are not allowed with the 'OR' operator"),
    ("SELECT Id FROM Account WHERE Name IN (SELECT Name FROM Contact)", MALFORMED, 30,
     "The left operand field in the where expression for outer query should be an id field, "
     "cannot use: 'Name'"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT Name FROM Contact)", MALFORMED, 44,
     "semi join sub-selects can only query id fields, cannot use: 'Name'"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT OwnerId FROM Contact)", MALFORMED, 30,
     "The selected field 'OwnerId' in the subquery and the left operand field in the where "
     "expression in the outer query 'Id' should point to the same object type"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT ParentId FROM Account)", MALFORMED, 30,
     "The inner and outer selects should not be on the same object type"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Id IN "
     "(SELECT ContactId FROM Case))", MALFORMED, 73,
     "Nesting of semi join sub-selects is not supported"),
    # clauses
    ("SELECT Id FROM Account WITH DATA CATEGORY Geo__c AT World__c", MALFORMED, 24,
     "data category filtering is not supported"),
    ("SELECT Id FROM Account WITH NONSENSE", MALFORMED, 29, "unexpected token: 'NONSENSE'"),
    ("SELECT Id FROM Account USING SCOPE nonsense", FIELD, 36,
     "Filter scope 'nonsense' is not supported for entity 'Account'"),
    ("SELECT Id FROM Account ORDER BY Name FOR UPDATE", MALFORMED, 42,
     "ORDER BY not allowed when using FOR UPDATE"),
]  # fmt: skip


@pytest.mark.parametrize(("soql", "code", "column", "words"), REFUSED, ids=[r[0] for r in REFUSED])
def test_refusals_point_at_the_mistake(
    made: Org, soql: str, code: str, column: int, words: str
) -> None:
    with pytest.raises(QueryError) as caught:
        query.query(user(made), soql)
    error = caught.value
    lines = error.message.split("\n")
    assert (error.code, error.row, error.column) == (code, 1, column)
    assert lines[0] == ""
    assert lines[1] in soql
    assert lines[3] == f"ERROR at Row:1:Column:{column}"
    assert lines[4].startswith(words)
    caret = lines[2].index("^")
    assert soql[column - 1 :].startswith(lines[1][caret:])


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE",
         "Maximum SOQL offset allowed is 2000"),
        ("SELECT FIELDS(ALL) FROM Account", MALFORMED,
         "The SOQL FIELDS function must have a LIMIT of at most 200"),
        ("SELECT FIELDS(CUSTOM) FROM Account LIMIT 201", MALFORMED,
         "The SOQL FIELDS function must have a LIMIT of at most 200"),
    ],
)  # fmt: skip
def test_refusals_without_a_place(org: Org, soql: str, code: str, message: str) -> None:
    with pytest.raises(SalesforceError) as caught:
        query.query(user(org), soql)
    assert (caught.value.code, caught.value.message) == (code, message)


def test_a_refused_literal_is_refused_again_when_its_shape_is_known(org: Org) -> None:
    caller = user(org)
    query.query(caller, "SELECT FIELDS(ALL) FROM Account LIMIT 200")
    query.query(caller, "SELECT Id FROM Account OFFSET 2000")
    query.query(caller, f"SELECT Id FROM Account WHERE Id = '{caller.user_id}'")
    for refused in (
        "SELECT FIELDS(ALL) FROM Account LIMIT 201",
        "SELECT Id FROM Account OFFSET 2001",
        "SELECT Id FROM Account WHERE Id = '005'",
    ):
        for _ in range(2):
            with pytest.raises(SalesforceError):
                query.query(caller, refused)


def test_errors_of_one_shape_point_into_their_own_text(org: Org) -> None:
    caller = user(org)
    for start in ("'a'", "'a much longer literal'"):
        soql = f"SELECT Id FROM Account WHERE Name = {start} AND Id = 'bad'"
        with pytest.raises(QueryError) as caught:
            query.query(caller, soql)
        assert caught.value.column == soql.index("Id = 'bad'") + 1


def test_excerpts_reach_thirty_characters_to_the_ends_of_words() -> None:
    soql = "SELECT Company, Email, LastName, HasOptedOutOfEmail, Id from Lead"
    assert excerpt(soql, 33) == (soql, 33, 1, 34)
    soql = "SELECT Id,CreatedById,OCE__ActualCap__c,TPI_Product__c,Name,OCE__JobId__c,Z FROM B"
    at = soql.index("TPI")
    assert excerpt(soql, at)[:2] == (
        "CreatedById,OCE__ActualCap__c,TPI_Product__c,Name,OCE__JobId__c",
        30,
    )


def test_rows_count_from_the_line(org: Org) -> None:
    with pytest.raises(InvalidType) as caught:
        query.query(user(org), "SELECT Id\nFROM Maycur_Form__c\nLIMIT 1")
    shown = "\nFROM Maycur_Form__c\n     ^\nERROR at Row:2:Column:6\n"
    assert caught.value.message.startswith(shown)


def test_too_long_too_deep_and_nul(org: Org) -> None:
    caller = user(org)
    for soql in (
        "SELECT Id FROM Account WHERE Name = '" + "x" * 100_000 + "'",
        "SELECT Id FROM Account WHERE " + "(" * 50_000,
        "SELECT Id FROM Account WHERE " + "NOT " * 20_000 + "Name = 'a'",
        "SELECT Id FROM Account WHERE Name = '\x00'",
        "SELECT Id FROM Account WHERE Name = \x00string\x00",
        "SELECT " + "(SELECT Id, " * 300 + "Id",
    ):
        with pytest.raises(MalformedQuery):
            query.query(caller, soql)


def test_six_levels_of_parents_are_refused(org: Org) -> None:
    things(org)
    up = "Parent__r."
    query.query(user(org), f"SELECT {up * 5}Name FROM Thing__c")
    with pytest.raises(MalformedQuery):
        query.query(user(org), f"SELECT {up * 6}Name FROM Thing__c")


def test_subqueries_below_subqueries_came_with_version_58(org: Org) -> None:
    soql = "SELECT Id, (SELECT Id, (SELECT Id FROM Cases) FROM Contacts) FROM Account LIMIT 1"
    query.query(user(org, api_version=58), soql)
    with pytest.raises(MalformedQuery, match="more than 1 level away"):
        query.query(user(org, api_version=57), soql)


def test_a_system_caller_is_held_to_names_but_not_to_properties(org: Org) -> None:
    things(org)
    system = org.system_caller()
    assert query.query(system, "SELECT Id FROM Thing__c WHERE Long__c = 'a'").total_size == 0
    with pytest.raises(InvalidField):
        query.query(system, "SELECT simorg_PasswordHash FROM User")


def test_objects_hidden_by_rules_do_not_exist(org: Org) -> None:
    from simorg.org.behaviour import ObjectRules

    class Hidden(ObjectRules):
        def may_read(self, caller: object) -> bool:
            return False

    org.behaviour = replace(org.behaviour, rules={**org.behaviour.rules, "Contact": Hidden()})
    caller = user(org)
    with pytest.raises(InvalidType, match="sObject type 'Contact' is not supported"):
        query.query(caller, "SELECT Id FROM Contact")
    with pytest.raises(InvalidType, match="Didn't understand relationship 'Contacts'"):
        query.query(caller, "SELECT Id, (SELECT Id FROM Contacts) FROM Account")
    with pytest.raises(InvalidField, match="Didn't understand relationship 'Contact'"):
        query.query(caller, "SELECT Contact.Name FROM Case")
