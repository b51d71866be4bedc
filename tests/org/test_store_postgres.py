"""What only PostgreSQL has: several processes on one database, connections that die, a pool."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from simorg.access import behaviour
from simorg.org.catalogue import CatalogueConfig, OrgCatalogue
from simorg.org.org import Org
from simorg.org.schema.model import CustomObjectDefinition, Field
from simorg.org.store.base import StoreGone
from tests.conftest import POSTGRES, fresh_database
from tests.org.test_catalogue import add_account, has_account, rows

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(POSTGRES is None, reason="needs PostgreSQL: make test-postgres"),
]


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[OrgCatalogue, OrgCatalogue]]:
    """Two catalogues of one database, as two server processes have them."""
    with fresh_database() as url:
        config = CatalogueConfig(database=url)
        with ThreadPoolExecutor(2) as pool:  # both start at once on an empty database
            one, two = pool.map(lambda _: OrgCatalogue(config, behaviour()), range(2))
        yield one, two
        one.close()
        two.close()


@pytest.fixture
def orgs(pair: tuple[OrgCatalogue, OrgCatalogue]) -> tuple[Org, Org]:
    """One org, seen by both."""
    one = pair[0].create()
    two = pair[1].get(one.id)
    assert two is not None
    return one, two


def test_two_servers_make_one_default_org(pair: tuple[OrgCatalogue, OrgCatalogue]) -> None:
    assert pair[0].default.id == pair[1].default.id
    assert {org.id for org in pair[0].list()} == {org.id for org in pair[1].list()}
    assert pair[1].find_user("admin@acme.example") is not None


def test_changes_of_one_are_seen_by_the_other(orgs: tuple[Org, Org]) -> None:
    one, two = orgs
    generation = two.access_generation
    one.settings.update("apiAccessControl", {"adminApprovedUsersOnly": True})
    assert two.access_generation > generation
    assert two.settings.get("apiAccessControl")["adminApprovedUsersOnly"] is True
    one.clock.freeze()
    one.add_object(CustomObjectDefinition("Own__c", "Own", "Owns", [Field("A__c", "A", "int")]))
    one.add_field("Account", Field("Tier__c", "Tier", "string", 20))
    assert two.access_generation
    assert two.clock.now() == one.clock.now()
    assert two.schema.get("Own__c") is not None
    assert rows(two, "Own__c", "A__c") == []
    assert "Tier__c" in two.store.table("Account").c


def test_ids_of_two_servers_do_not_meet(orgs: tuple[Org, Org]) -> None:
    def work(org: Org) -> list[str]:
        return [add_account(org, "x") for _ in range(20)]

    with ThreadPoolExecutor(2) as pool:
        made = [i for some in pool.map(work, orgs) for i in some]
    assert len(set(made)) == 40


def test_a_reset_by_one_is_a_reset_for_the_other(
    pair: tuple[OrgCatalogue, OrgCatalogue], orgs: tuple[Org, Org]
) -> None:
    one, two = orgs
    one.add_object(CustomObjectDefinition("Own__c", "Own", "Owns"))
    one.settings.update("apiAccessControl", {"adminApprovedUsersOnly": True})
    add_account(two, "gone")
    generation = two.access_generation
    assert two.schema.get("Own__c") is not None
    pair[0].reset(one.id)
    assert two.access_generation > generation
    assert two.schema.get("Own__c") is None
    assert not has_account(two, "gone")
    assert not two.settings.get("apiAccessControl")["adminApprovedUsersOnly"]
    add_account(two, "new")
    assert has_account(one, "new")


def test_usernames_of_two_servers(orgs: tuple[Org, Org], pair: Any) -> None:
    one, two = orgs
    with one.store.writing():
        assert one.usernames.claim("shared@x.example", "005A")
    other = pair[1].create()
    assert not other.usernames.claim("Shared@x.example", "005B")
    one.usernames.release("shared@x.example", "005A")
    assert other.usernames.claim("shared@x.example", "005B")


def kill_connections(org: Org) -> None:
    """End every other backend of the database, as a restart of the server does."""
    import psycopg

    url = org.store.pool.url  # type: ignore[attr-defined]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_dead_idle_connections_are_replaced(orgs: tuple[Org, Org]) -> None:
    one, _ = orgs
    add_account(one, "before")
    account = one.store.table("Account")
    statement = one.store.prepare(sa.select(sa.func.count()).select_from(account))
    kill_connections(one)
    assert one.access_generation
    kill_connections(one)
    with one.store.reading() as reader:
        assert reader.one(statement)
    kill_connections(one)
    with one.store.reading(once=True) as reader:
        assert reader.one(statement)
    kill_connections(one)
    add_account(one, "after")
    assert has_account(one, "before") and has_account(one, "after")


def test_a_transaction_whose_connection_dies_is_rolled_back(orgs: tuple[Org, Org]) -> None:
    import psycopg

    one, _ = orgs
    undone: list[int] = []
    with pytest.raises(psycopg.OperationalError), one.store.writing() as tx:
        add_account(one, "lost")
        tx.on_rollback(lambda: undone.append(1))
        kill_connections(one)
        add_account(one, "lost too")
    assert undone == [1]
    assert not has_account(one, "lost")
    add_account(one, "next")


def test_waiting_for_another_servers_writer_stops_no_thread(orgs: tuple[Org, Org]) -> None:
    one, two = orgs
    entered = threading.Event()
    release = threading.Event()

    def hold() -> None:
        with one.store.writing():
            entered.set()
            assert release.wait(60)

    with ThreadPoolExecutor(2) as pool:
        holding = pool.submit(hold)
        assert entered.wait(60)
        waiting = pool.submit(add_account, two, "queued")
        until = time.monotonic() + 0.3
        turns = 0
        while time.monotonic() < until:
            turns += 1
        assert turns > 100 and not waiting.done()
        assert not has_account(two, "queued"), "readers do not wait"
        release.set()
        holding.result(20)
        waiting.result(20)
    assert has_account(one, "queued")


def test_more_threads_than_connections(orgs: tuple[Org, Org]) -> None:
    one, _ = orgs
    pool: Any = one.store.pool  # type: ignore[attr-defined]
    size, pool._size = pool._size, 3
    try:
        pool.forget_idle()

        def work(n: int) -> bool:
            add_account(one, f"n{n}")
            return has_account(one, f"n{n}")

        with ThreadPoolExecutor(12) as threads:
            assert all(threads.map(work, range(36)))
    finally:
        pool._size = size


def test_an_org_that_another_server_deleted(
    pair: tuple[OrgCatalogue, OrgCatalogue], orgs: tuple[Org, Org]
) -> None:
    one, two = orgs
    pair[0].delete(one.id)
    assert pair[1].find_user(f"admin@acme.example.{two.my_domain.partition('--')[2]}") is None
    with pytest.raises(StoreGone):
        assert two.access_generation
    assert pair[1].get(two.id) is None
    assert two not in pair[1].list()


def test_an_org_may_go_while_another_server_lists_the_orgs(
    pair: tuple[OrgCatalogue, OrgCatalogue], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = pair[0].create()
    entries = pair[1].registry.orgs()  # the other has read that there is such an org
    pair[0].delete(one.id)
    monkeypatch.setattr(pair[1].registry, "orgs", lambda: entries)
    assert one.id not in [org.id for org in pair[1].list()]
    assert pair[1].get(one.id) is None


def content(org: Org) -> dict[str, list[Any]]:
    """All rows of all tables, without what tells the org and its users from others (nor which
    empty tables there are)."""
    store: Any = org.store
    with store.reading() as reader:
        run = reader.connection.execute
        names = run(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s", (store.namespace,)
        ).fetchall()
        found = {}
        for (name,) in sorted(names):
            kept = [
                str(row).replace(org.id, "ORG").replace(org.my_domain.partition("--")[2], "SUFFIX")
                for row in run(f'SELECT * FROM "{store.namespace}"."{name}"').fetchall()
            ]
            if kept and name not in ("simorg_generations", "simorg_tables"):
                found[name] = sorted(kept)
    return found


def oid(catalogue: OrgCatalogue, org: Org) -> int:
    spaces: Any = catalogue._spaces
    name = org.store.namespace
    found: list[tuple[int]] = spaces._pool.run(
        lambda c: c.execute("SELECT oid FROM pg_namespace WHERE nspname = %s", (name,)).fetchall()
    )
    return found[0][0]


def test_a_deleted_orgs_schema_serves_the_next_org_and_tells_it_nothing(
    pair: tuple[OrgCatalogue, OrgCatalogue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simorg.org.store.postgres_namespaces._SPARES", 0)
    like_new = pair[0].create()  # of a schema made for it
    expected = content(like_new)
    monkeypatch.setattr("simorg.org.store.postgres_namespaces._SPARES", 50)
    used = pair[0].create()
    used.add_object(CustomObjectDefinition("Own__c", "Own", "Owns"))
    used.add_field("Account", Field("Secret__c", "Secret", "string", length=20))
    used.settings.update("apiAccessControl", {"adminApprovedUsersOnly": True})
    used.clock.freeze()
    used.kept.put("code", "key", b"value")
    add_account(used, "left over")
    rows(used, "Own__c", "Id")
    rows(used, "Campaign", "Id")
    place = oid(pair[0], used)
    pair[0].delete(used.id)
    made = [catalogue.create() for catalogue in (*pair, *pair, *pair)]
    assert place in [oid(pair[0], org) for org in made]
    for org in made:
        assert content(org) == expected
        assert org.schema.get("Own__c") is None and not org.clock.frozen
        assert rows(org, "Campaign", "Id") == []
        add_account(org, "works")
        assert has_account(org, "works") and not has_account(org, "left over")
    monkeypatch.undo()
    for org in [*made, like_new]:
        pair[0].delete(org.id)


def test_nobody_reaches_the_next_org_by_the_deleted_ones_name(
    orgs: tuple[Org, Org], pair: tuple[OrgCatalogue, OrgCatalogue]
) -> None:
    """Nor by statements that the connection had prepared for the deleted one."""
    import psycopg

    one, two = orgs
    for _ in range(20):
        assert two.access_generation >= 0 and has_account(two, "x") is False
    place = oid(pair[0], one)
    pair[0].delete(one.id)
    made = [pair[0].create() for _ in range(6)]
    assert place in [oid(pair[0], org) for org in made]
    with pytest.raises(psycopg.errors.UndefinedTable):
        has_account(two, "x")
    with pytest.raises(StoreGone):
        assert two.access_generation
    with pytest.raises(psycopg.errors.UndefinedTable):
        add_account(two, "to nobody")
    assert not any(has_account(org, "to nobody") for org in made)


def test_a_deletion_waits_for_the_writer_in_the_middle(
    orgs: tuple[Org, Org], pair: tuple[OrgCatalogue, OrgCatalogue]
) -> None:
    """What it writes is written before the schema is another org's."""
    one, two = orgs
    with ThreadPoolExecutor(1) as thread:
        with two.store.writing():
            add_account(two, "in the middle")
            deleted = thread.submit(pair[0].delete, one.id)
            with pytest.raises(TimeoutError):
                deleted.result(0.2)
        deleted.result(30)
    assert not any(has_account(pair[0].create(), "in the middle") for _ in range(5))


def test_few_schemas_are_kept(pair: tuple[OrgCatalogue, OrgCatalogue]) -> None:
    spaces: Any = pair[0]._spaces
    made = [catalogue.create() for catalogue in (*pair, *pair, *pair)]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda org: pair[1].delete(org.id), made))
    # two servers that look at once may each keep one
    assert len(spaces._spares()) <= 4 + 3


def test_deleting_an_org_that_is_being_read_is_tried_again(
    orgs: tuple[Org, Org],
    pair: tuple[OrgCatalogue, OrgCatalogue],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PostgreSQL may end the deletion rather than the reader when each waits for the other."""
    import psycopg

    from simorg.org.store import postgres_copy

    whole, tries = postgres_copy.drop, []

    def drop(connection: Any, schema: str) -> None:
        tries.append(schema)
        if len(tries) == 1:
            raise psycopg.errors.DeadlockDetected("deadlock detected")
        whole(connection, schema)

    monkeypatch.setattr(postgres_copy, "drop", drop)
    monkeypatch.setattr("simorg.org.store.postgres_namespaces._SPARES", 0)
    pair[0].delete(orgs[0].id)
    assert tries == [f"org_{orgs[0].id}"] * 2
    assert pair[0].get(orgs[0].id) is None
