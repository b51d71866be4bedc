"""What orgs of one schema lend each other: compiled shapes, and nothing else."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from types import FunctionType, MethodType, ModuleType
from typing import Any
from unittest.mock import patch

import pytest

from simorg.access import directory
from simorg.errors import InvalidField, InvalidType
from simorg.org import query, records
from simorg.org.caller import Caller
from simorg.org.catalogue import OrgCatalogue
from simorg.org.org import Org
from simorg.org.query import compiler
from simorg.org.schema.model import CustomObjectDefinition, Field
from simorg.org.store.core import BaseStore
from tests.conftest import POSTGRES
from tests.org.soql_kit import insert, run, user

lent_only = pytest.mark.skipif(
    POSTGRES is not None, reason="every statement names its org's namespace there"
)


@pytest.fixture
def pair(catalogue: OrgCatalogue) -> tuple[Org, Org]:
    return catalogue.create(), catalogue.create()


def use(org: Org, word: str) -> None:
    """A little of everything that compiles."""
    caller = user(org)
    [made] = insert(caller, "Account", [{"Name": word}])
    assert run(caller, f"SELECT Name FROM Account WHERE Name = '{word}'") == [{"Name": word}]
    assert run(caller, f"SELECT Name FROM Account WHERE Name IN ('{word}', 'nobody')")
    run(caller, "SELECT Name, (SELECT LastName FROM Contacts) FROM Account LIMIT 3")
    run(caller, "SELECT Type, COUNT(Id) FROM Account GROUP BY Type")
    run(caller, "SELECT FORMAT(AnnualRevenue) a FROM Account WHERE CreatedDate = TODAY LIMIT 2")
    assert records.retrieve(caller, "Account", [made], ["Name"])[1]
    records.update(caller, [("Account", made, {"Phone": "1"})])
    records.delete(caller, [made])
    assert directory.apps(org).by_id
    assert directory.person(org, caller.user_id)


@lent_only
def test_an_org_compiles_nothing_that_another_one_did(pair: tuple[Org, Org]) -> None:
    one, two = pair
    use(one, "first")
    with patch.object(BaseStore, "prepare", side_effect=AssertionError("compiled again")):
        use(two, "second")


def test_lent_statements_read_the_own_database(pair: tuple[Org, Org]) -> None:
    one, two = pair
    text = "SELECT Name FROM Account WHERE Name LIKE 'Mine%'"
    for org, word in ((one, "Mine 1"), (two, "Mine 2")):
        insert(user(org), "Account", [{"Name": word}])
    assert (run(user(one), text), run(user(two), text)) == (
        [{"Name": "Mine 1"}],
        [{"Name": "Mine 2"}],
    )
    records.delete(user(two), [r["Id"] for r in run(user(two), text.replace("Name ", "Id ", 1))])
    assert run(user(one), text) == [{"Name": "Mine 1"}] and run(user(two), text) == []


def test_what_one_org_adds_to_its_schema_is_its_own(pair: tuple[Org, Org]) -> None:
    one, two = pair
    use(one, "before")
    one.add_field("Account", Field("Own__c", "Own", "string", length=20))
    one.add_object(CustomObjectDefinition("Thing__c", "Thing", "Things"))
    insert(user(one), "Account", [{"Name": "x", "Own__c": "y"}])
    everything = "SELECT FIELDS(ALL) FROM Account WHERE Name = 'x' LIMIT 5"
    assert run(user(one), everything)[0]["Own__c"] == "y"
    insert(user(two), "Account", [{"Name": "x"}])
    assert "Own__c" not in run(user(two), everything)[0]
    assert two.schema.get("Thing__c") is None
    assert "Own__c" not in two.store.table("Account").c
    with pytest.raises(InvalidField):
        run(user(two), "SELECT Own__c FROM Account")
    with pytest.raises(InvalidType):
        run(user(two), "SELECT Id FROM Thing__c")
    # and the other way round, under the same name
    two.add_field("Account", Field("Own__c", "Own", "double", precision=5, scale=0))
    insert(user(two), "Account", [{"Name": "z", "Own__c": 5}])
    own = "SELECT Own__c FROM Account WHERE Own__c != null"
    assert run(user(one), own) == [{"Own__c": "y"}] and run(user(two), own) == [{"Own__c": 5}]


def test_tables_made_at_first_use_are_made_in_every_org(
    catalogue: OrgCatalogue, pair: tuple[Org, Org]
) -> None:
    one, two = pair

    def names(org: Org) -> list[str]:
        text = "SELECT Name, (SELECT ContactId FROM CampaignMembers) FROM Campaign"
        return [row["Name"] for row in run(user(org), text)]

    insert(user(one), "Campaign", [{"Name": "First"}])
    assert names(one) == ["First"]
    assert names(two) == []
    insert(user(two), "Campaign", [{"Name": "Second"}])
    assert names(two) == ["Second"] and names(one) == ["First"]
    catalogue.reset(one.id)
    assert names(one) == []


@lent_only
def test_a_plan_fits_the_callers_rights_in_every_org(pair: tuple[Org, Org]) -> None:
    one, two = pair
    text = "SELECT Id FROM ConnectedApplication"

    def plain(org: Org) -> Caller:
        return replace(user(org), permissions=frozenset({"ApiEnabled"}))

    assert run(user(one), text)
    for org in pair:
        with pytest.raises(InvalidType):
            run(plain(org), text)
    compiled: list[str] = []
    compile_query = compiler.compile_query

    def note(caller: Caller, asked: str, *args: Any, **options: Any) -> Any:
        compiled.append(asked)
        return compile_query(caller, asked, *args, **options)

    with patch.object(compiler, "compile_query", note):
        assert run(user(two), text)
    assert compiled == []


def reached(start: object) -> list[object]:
    """All objects that ``start`` leads to, code and classes aside."""
    seen: dict[int, object] = {}
    todo: list[object] = [start]
    while todo:
        item = todo.pop()
        if id(item) in seen or isinstance(item, (type, ModuleType)):
            continue
        seen[id(item)] = item
        if isinstance(item, FunctionType):
            todo += [cell.cell_contents for cell in item.__closure__ or ()]
            todo += item.__defaults__ or ()
        elif isinstance(item, MethodType):
            todo.append(item.__self__)
        else:
            todo += gc.get_referents(item)
    return list(seen.values())


@lent_only
def test_what_is_lent_leads_to_no_org(catalogue: OrgCatalogue) -> None:
    org = catalogue.create()
    use(org, "leaves nothing")
    query.search(user(org), "FIND {leaves} IN ALL FIELDS RETURNING Account(Id)")
    assert org.schema is catalogue.default.schema
    found = reached(org.schema)
    assert len(found) > 1000
    assert [x for x in found if isinstance(x, (Org, BaseStore, Caller, OrgCatalogue))] == []


def test_a_deleted_org_is_forgotten(catalogue: OrgCatalogue) -> None:
    org = catalogue.create()
    use(org, "soon gone")
    gone = weakref.ref(org)
    catalogue.delete(org.id)
    del org
    gc.collect()
    assert gone() is None
