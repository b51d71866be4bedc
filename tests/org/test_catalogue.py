"""The orgs of a server: made, found, reset, saved, restored, deleted, and kept apart."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from simorg.access import behaviour
from simorg.org import ids
from simorg.org.catalogue import (
    CatalogueConfig,
    CatalogueError,
    NoSuchOrg,
    OrgCatalogue,
)
from simorg.org.org import Org
from simorg.org.schema.model import CustomObjectDefinition, Field
from simorg.org.settings import SettingsError
from tests.conftest import POSTGRES, fresh_database, username

SMALL = """
org: {name: Small, edition: Developer, created: 2024-03-01T00:00:00Z}
licenses: {Salesforce: {key: SFDC}}
profiles:
  System Administrator: {license: Salesforce, permissions: all}
users:
  boss@small.example: {lastName: Boss, profile: System Administrator}
"""


def rows(org: Org, name: str, *columns: str) -> list[Any]:
    table = org.store.table(name)
    query = sa.select(*(table.c[c] for c in columns)).order_by(table.c.Id)
    with org.store.reading() as reader:
        return reader.rows(org.store.prepare(query))


def add_account(org: Org, name: str) -> str:
    table = org.store.table("Account")
    clause = sa.insert(table).values(Id=sa.bindparam("Id"), Name=sa.bindparam("Name"))
    with org.store.writing() as tx:
        made = tx.new_ids("001")[0]
        tx.execute(org.store.prepare(clause), {"Id": made, "Name": name})
    return made


def has_account(org: Org, name: str) -> bool:
    return (name,) in rows(org, "Account", "Name")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


def test_the_default_org_is_acme(catalogue: OrgCatalogue) -> None:
    org = catalogue.default
    assert catalogue.list() == [org]
    assert (org.name, org.edition, org.my_domain) == ("Acme", "Enterprise", "acme")
    assert org.id.startswith("00D") and ids.normalise(org.id) == org.id
    told = rows(org, "Organization", "Id", "Name", "OrganizationType", "InstanceName")
    assert told == [(org.id, "Acme", "Enterprise Edition", org.instance_name)]


def test_an_org_is_found_by_both_forms_of_its_id(catalogue: OrgCatalogue) -> None:
    org = catalogue.default
    assert catalogue.get(org.id) is catalogue.get(org.id[:15]) is org
    assert catalogue.get(org.id.lower()) is org
    for wrong in ("", "00D", "nonsense", ids.make("00D", 4711), ids.make("001", 1)):
        assert catalogue.get(wrong) is None


def test_a_new_org_has_its_own_id_name_and_usernames(catalogue: OrgCatalogue) -> None:
    default = catalogue.default
    named = catalogue.create(name="Team 7!", edition="Developer")
    plain = catalogue.create()
    assert len({default.id, named.id, plain.id}) == 3
    assert catalogue.list() == [default, named, plain]
    assert (named.name, named.edition) == ("Team 7!", "Developer")
    told = rows(named, "Organization", "Id", "Name", "OrganizationType")
    assert told == [(named.id, "Team 7!", "Developer Edition")]
    assert username(named, "admin") == "admin@acme.example.team-7"
    assert username(plain, "admin").startswith("admin@acme.example.org")
    assert username(default, "admin") == "admin@acme.example"
    assert len({default.my_domain, named.my_domain, plain.my_domain}) == 3
    assert catalogue.find_user("ADMIN@acme.EXAMPLE.team-7") == (
        named,
        rows(named, "User", "Id")[0][0],
    )
    again = catalogue.create(name="Team 7!")
    assert username(again, "admin") not in (username(named, "admin"), username(plain, "admin"))


def test_an_unknown_username_is_nobodys(catalogue: OrgCatalogue) -> None:
    assert catalogue.find_user("nobody@acme.example") is None


def test_an_org_of_another_definition(catalogue: OrgCatalogue, small: Path) -> None:
    first = catalogue.create(small)
    assert (first.name, first.edition) == ("Small", "Developer")
    assert username(first, "boss") == "boss@small.example"
    second = catalogue.create(str(small), name="Other")
    assert username(second, "boss") == "boss@small.example.other"
    assert catalogue.default.name == "Acme"
    small.write_text(SMALL.replace("Small", "Changed"))
    assert catalogue.create(small).name == "Changed"


def test_other_orgs_are_served_while_a_large_definition_is_built(
    catalogue: OrgCatalogue, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    templates = catalogue._templates
    build, building, go_on = templates.build, threading.Event(), threading.Event()

    def slowly(*args: Any) -> Any:
        building.set()
        assert go_on.wait(60)
        return build(*args)

    monkeypatch.setattr(templates, "build", slowly)
    small.write_text(SMALL.replace("Small", "Slow"))
    with ThreadPoolExecutor(2) as pool:
        large = pool.submit(catalogue.create, small)
        try:
            assert building.wait(60)
            listed = pool.submit(catalogue.list).result(timeout=50)
            assert [org.name for org in listed] == ["Acme"]
        finally:
            go_on.set()
        assert large.result(timeout=60).name == "Slow"


def test_orgs_never_see_each_other(catalogue: OrgCatalogue) -> None:
    one, two = catalogue.create(), catalogue.create()
    before = two.access_generation
    add_account(one, "only one")
    one.add_object(CustomObjectDefinition("Own__c", "Own", "Owns"))
    one.settings.update("apiAccessControl", {"adminApprovedUsersOnly": True})
    one.clock.freeze()
    one.cache["x"] = 1
    assert one.usage.take()
    assert has_account(one, "only one") and not has_account(two, "only one")
    assert two.schema.get("Own__c") is None
    assert not two.settings.get("apiAccessControl")["adminApprovedUsersOnly"]
    assert not two.clock.frozen
    assert "x" not in two.cache
    assert two.usage.used == 0
    assert two.access_generation == before
    assert catalogue.default.settings.get("apiAccessControl")["adminApprovedUsersOnly"] is False


def test_reset_brings_back_everything(catalogue: OrgCatalogue) -> None:
    org = catalogue.create(name="again")
    before = {name: rows(org, name, "Id") for name in ("User", "Account", "Contact", "Profile")}
    user = rows(org, "User", "Username")
    generation = org.access_generation
    statement = org.store.prepare(sa.select(org.store.table("Account").c.Name))
    add_account(org, "gone")
    org.add_object(CustomObjectDefinition("Own__c", "Own", "Owns"))
    org.add_field("Account", Field("Tier__c", "Tier", "string", 20))
    org.store.table("Own__c")
    add_account(org, "gone too")
    org.settings.update("apiAccessControl", {"adminApprovedUsersOnly": True})
    org.clock.freeze()
    org.kept.put("kind", "key", b"value")
    assert org.usernames.claim("late@x.example", "005000000000009AAA")
    assert catalogue.reset(org.id) is org
    after = {name: rows(org, name, "Id") for name in before}
    assert after == before and rows(org, "User", "Username") == user
    assert not has_account(org, "gone")
    assert org.schema.get("Own__c") is None
    assert "Tier__c" not in org.store.table("Account").c
    assert not org.settings.get("apiAccessControl")["adminApprovedUsersOnly"]
    assert not org.clock.frozen
    assert org.kept.get("kind", "key") is None
    assert org.access_generation > generation
    assert rows(org, "Organization", "Id", "Name") == [(org.id, "again")]
    assert catalogue.find_user("admin@acme.example.again") is not None
    assert catalogue.find_user("late@x.example") is None
    with org.store.reading() as reader:
        assert len(reader.rows(statement)) == len(before["Account"])
    add_account(org, "still writable")
    org.add_field("Account", Field("Tier__c", "Tier", "double", precision=18))
    assert rows(org, "Account", "Tier__c")[0] == (None,)


def test_snapshots_are_restored_as_often_as_one_likes(catalogue: OrgCatalogue) -> None:
    org = catalogue.create()
    org.add_object(CustomObjectDefinition("Own__c", "Own", "Owns"))
    add_account(org, "first")
    catalogue.snapshot(org.id, "one")
    add_account(org, "second")
    org.remove_object("Own__c")
    org.add_object(CustomObjectDefinition("Other__c", "Other", "Others"))
    org.store.table("Other__c")
    org.settings.update("apiAccessControl", {"adminApprovedUsersOnly": True})
    catalogue.snapshot(org.id, "two")
    assert catalogue.snapshots(org.id) == ["one", "two"]
    for _ in range(2):
        generation = org.access_generation
        catalogue.restore(org.id, "one")
        assert org.access_generation > generation
        assert has_account(org, "first") and not has_account(org, "second")
        assert org.schema.get("Own__c") is not None and org.schema.get("Other__c") is None
        assert rows(org, "Own__c", "Id") == []
        assert not org.settings.get("apiAccessControl")["adminApprovedUsersOnly"]
        add_account(org, "third")
        catalogue.restore(org.id, "two")
        assert has_account(org, "second") and not has_account(org, "third")
        assert org.schema.get("Own__c") is None and rows(org, "Other__c", "Id") == []
        assert org.settings.get("apiAccessControl")["adminApprovedUsersOnly"]
    catalogue.snapshot(org.id, "one")
    catalogue.restore(org.id, "one")
    assert has_account(org, "second"), "a snapshot of the same name was replaced"


def test_ids_go_on_after_a_restore(catalogue: OrgCatalogue) -> None:
    org = catalogue.create()
    catalogue.snapshot(org.id, "x")
    first = add_account(org, "a")
    catalogue.restore(org.id, "x")
    assert add_account(org, "b") == first, "the snapshot's own numbering"


@pytest.mark.parametrize("name", ["", "../evil", "a b", "x" * 41, 'a"b', ".hidden"])
def test_bad_snapshot_names_are_refused(catalogue: OrgCatalogue, name: str) -> None:
    with pytest.raises(CatalogueError, match="name"):
        catalogue.snapshot(catalogue.default.id, name)
    with pytest.raises(NoSuchOrg):
        catalogue.restore(catalogue.default.id, name)


def test_a_deleted_org_is_gone_and_its_usernames_are_free(catalogue: OrgCatalogue) -> None:
    org = catalogue.create(name="brief")
    catalogue.snapshot(org.id, "s")
    catalogue.delete(org.id)
    assert catalogue.get(org.id) is None
    assert org not in catalogue.list()
    assert catalogue.find_user("admin@acme.example.brief") is None
    for action in (catalogue.delete, catalogue.reset, catalogue.snapshots):
        with pytest.raises(NoSuchOrg):
            action(org.id)
    again = catalogue.create(name="brief")
    assert again.id != org.id
    assert username(again, "admin") == "admin@acme.example.brief"
    assert catalogue.snapshots(again.id) == []


def test_usernames_are_unique_per_server(catalogue: OrgCatalogue) -> None:
    one, two = catalogue.create(), catalogue.create()
    assert one.usernames.claim("New@x.example", "005A")
    assert one.usernames.claim("new@X.example", "005A"), "already its own"
    assert not one.usernames.claim("new@x.example", "005B")
    assert not two.usernames.claim("NEW@x.example", "005A")
    assert not two.usernames.claim("admin@acme.example", "005A")
    two.usernames.release("new@x.example", "005A")
    assert not two.usernames.claim("new@x.example", "005A"), "only its holder releases it"
    one.usernames.release("NEW@x.example", "005A")
    assert two.usernames.claim("new@x.example", "005A")
    assert two.usernames.rename("new@x.example", "newer@x.example", "005A")
    assert one.usernames.claim("new@x.example", "005A")
    assert not two.usernames.rename("newer@x.example", "new@x.example", "005A")
    assert two.usernames.rename("newer@x.example", "Newer@x.example", "005A")


def test_claims_follow_their_transaction(catalogue: OrgCatalogue) -> None:
    one, two = catalogue.create(), catalogue.create()
    with pytest.raises(ValueError), one.store.writing():
        assert one.usernames.claim("a@x.example", "005A")
        raise ValueError
    assert two.usernames.claim("a@x.example", "005A")
    with one.store.writing() as tx:
        with pytest.raises(ValueError), tx.savepoint():
            assert one.usernames.claim("b@x.example", "005A")
            raise ValueError
        assert one.usernames.claim("c@x.example", "005A")
    assert two.usernames.claim("b@x.example", "005A")
    assert not two.usernames.claim("c@x.example", "005A")
    with pytest.raises(ValueError), one.store.writing():
        one.usernames.release("c@x.example", "005A")
        raise ValueError
    assert not two.usernames.claim("c@x.example", "005A")
    with one.store.writing():
        one.usernames.release("c@x.example", "005A")
    assert two.usernames.claim("c@x.example", "005A")


def test_a_definition_that_cannot_be_leaves_nothing(catalogue: OrgCatalogue, small: Path) -> None:
    small.write_text(SMALL.replace("profile: System Administrator", "profile: Nobody"))
    for _ in range(2):
        with pytest.raises(ValueError, match=r"small.yaml:7:40: users.boss@small.example.profile"):
            catalogue.create(small)
    with pytest.raises(ValueError, match="cannot be read"):
        catalogue.create(small.parent / "missing.yaml")
    assert len(catalogue.list()) == 1
    small.write_text(SMALL)
    assert catalogue.create(small).name == "Small"


def test_settings_have_defaults_and_refuse_what_does_not_fit(org: Org) -> None:
    found = org.settings.get("apiAccessControl")
    assert found["provisioned"] is True and found["adminApprovedUsersOnly"] is False
    assert org.settings.read("apiAccessControl").provisioned is True
    for changes in ({"nonsense": 1}, {"adminApprovedUsersOnly": "yes"}, {"jwtReading": "x"}):
        with pytest.raises(SettingsError, match="apiAccessControl"):
            org.settings.update("apiAccessControl", changes)
    for call in (org.settings.get, org.settings.read, lambda s: org.settings.update(s, {})):
        with pytest.raises(SettingsError, match="no settings section 'nonsense'"):
            call("nonsense")
    generation = org.access_generation
    org.settings.update("apiAccessControl", {"visualforceAllowed": True})
    assert org.settings.get("apiAccessControl")["visualforceAllowed"] is True
    assert org.settings.get("apiAccessControl")["provisioned"] is True
    assert org.access_generation > generation
    with pytest.raises(RuntimeError), org.store.writing():
        org.settings.update("apiAccessControl", {"visualforceAllowed": False})
        raise RuntimeError
    assert org.settings.get("apiAccessControl")["visualforceAllowed"] is True


def test_usage_counts_per_day_of_the_orgs_clock(org: Org) -> None:
    assert org.usage.limit == 100_000
    assert org.usage.resets_at is None
    begun = org.clock.now()
    assert [org.usage.take() for _ in range(3)] == [True] * 3
    assert org.usage.used == 3 and not org.usage.exhausted
    assert org.usage.resets_at >= begun + timedelta(hours=24)
    org.settings.update("api", {"dailyRequestLimit": 3})
    assert org.usage.exhausted and not org.usage.take() and org.usage.used == 3
    org.clock.advance(23 * 3600)
    assert org.usage.used == 3
    org.clock.advance(3601)
    assert org.usage.used == 0 and not org.usage.exhausted


def test_kept_values_expire_and_are_taken_once(org: Org) -> None:
    from datetime import timedelta

    org.clock.freeze()
    soon = org.clock.now() + timedelta(seconds=10)
    org.kept.put("code", "a", b"\x00\xff", soon)
    org.kept.put("code", "b", b"for ever")
    org.kept.put("code", "b", b"replaced")
    assert org.kept.get("code", "a") == b"\x00\xff"
    assert org.kept.get("other", "a") is None
    assert org.kept.take("code", "b") == b"replaced"
    assert org.kept.take("code", "b") is None
    org.clock.advance(10)
    assert org.kept.get("code", "a") is None
    assert org.kept.purge() == 1 and org.kept.purge() == 0
    assert not org.kept.delete("code", "a")


def test_the_system_caller_is_the_first_user(org: Org) -> None:
    caller = org.system_caller()
    assert caller.system and caller.may("Anything")
    assert caller.username == username(org, "admin")
    assert caller.org is org


def test_many_orgs_do_not_hold_many_files(catalogue: OrgCatalogue) -> None:
    """Waiting connections are bounded over all orgs."""

    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = open_files()
    orgs = [catalogue.create() for _ in range(10 if POSTGRES else 60)]
    for org in orgs:
        assert has_account(org, "nothing") is False
    assert open_files() - before < 3 * 96 + 20
    for org in orgs:
        catalogue.delete(org.id)
    catalogue.settle()
    assert open_files() - before < 20


def test_few_idle_connections_serve_many_orgs() -> None:
    made = OrgCatalogue(CatalogueConfig(), behaviour(), idle_connections=4)
    try:
        before = len(os.listdir("/proc/self/fd"))
        orgs = [made.create() for _ in range(12)]
        for org in orgs * 2:
            add_account(org, org.id)
            assert has_account(org, org.id)
        made.settle()
        assert len(os.listdir("/proc/self/fd")) - before <= 12
    finally:
        made.close()


def test_closing_leaves_no_files() -> None:
    made = OrgCatalogue(CatalogueConfig(), behaviour())
    folder = made._folder
    made.create()
    assert folder.exists()
    made.close()
    assert not folder.exists()


@pytest.mark.parametrize("action", ["create", "reset"])
def test_new_orgs_are_file_copies(action: str) -> None:
    """The bench holds the budget (5 ms); this only tells a copy from building anew."""
    made = OrgCatalogue(CatalogueConfig(), behaviour())
    org = made.create()
    work: Callable[[], Any] = made.create if action == "create" else lambda: made.reset(org.id)
    best = 1.0
    for _ in range(10):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    made.close()
    assert best < 0.05


def test_an_org_cannot_be_replaced_inside_its_own_transaction(catalogue: OrgCatalogue) -> None:
    org = catalogue.default
    with org.store.writing():
        for action in (catalogue.reset, catalogue.delete, lambda i: catalogue.snapshot(i, "s")):
            with pytest.raises(CatalogueError, match="transaction"):
                action(org.id)
    add_account(org, "fine")


def test_resets_beside_readers_and_writers(catalogue: OrgCatalogue) -> None:
    """Every answer is of before or after; nothing breaks, nothing hangs."""
    org = catalogue.create()
    catalogue.snapshot(org.id, "s")
    seeded = len(rows(org, "Account", "Id"))
    stop = threading.Event()

    def work() -> int:
        turns = 0
        while not stop.is_set():
            add_account(org, "x")
            assert len(rows(org, "Account", "Id")) >= seeded
            assert catalogue.find_user("admin@acme.example") is not None
            turns += 1
        return turns

    with ThreadPoolExecutor(4) as pool:
        busy = [pool.submit(work) for _ in range(4)]
        for n in range(6):
            if n % 2:
                catalogue.restore(org.id, "s")
            else:
                catalogue.reset(org.id)
        stop.set()
        assert all(done.result(60) for done in busy)
    catalogue.reset(org.id)
    assert len(rows(org, "Account", "Id")) == seeded


class TestState:
    """``--state``, and PostgreSQL, where everything is kept anyway."""

    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Any:
        opened: list[OrgCatalogue] = []
        with fresh_database() as url:
            config = CatalogueConfig(database=url, state=None if url else tmp_path / "state")

            def again() -> OrgCatalogue:
                if opened:
                    opened[-1].close()
                opened.append(OrgCatalogue(config, behaviour()))
                return opened[-1]

            yield again
            opened[-1].close()

    def test_everything_is_there_after_a_restart(self, reopen: Any) -> None:
        first = reopen()
        org = first.create(name="kept", edition="Unlimited")
        org.add_object(CustomObjectDefinition("Own__c", "Own", "Owns"))
        org.add_field("Account", Field("Tier__c", "Tier", "string", 20))
        made = add_account(org, "kept account")
        org.settings.update("apiAccessControl", {"adminApprovedUsersOnly": True})
        org.clock.freeze()
        org.kept.put("k", "k", b"v")
        for _ in range(5):
            assert org.usage.take()
        first.snapshot(org.id, "s")
        now, default = org.clock.now(), first.default.id

        second = reopen()
        assert [o.name for o in second.list()] == ["Acme", "kept"]
        assert second.default.id == default
        again = second.get(org.id)
        assert again is not None and again is not org
        assert (again.name, again.edition) == ("kept", "Unlimited")
        assert has_account(again, "kept account")
        assert again.schema.get("Own__c") is not None and rows(again, "Own__c", "Id") == []
        assert "Tier__c" in again.store.table("Account").c
        assert again.settings.get("apiAccessControl")["adminApprovedUsersOnly"]
        assert again.clock.now() == now
        assert again.kept.get("k", "k") == b"v"
        assert again.usage.used == 5
        assert second.find_user("admin@acme.example.kept") is not None
        assert add_account(again, "next") > made
        second.restore(org.id, "s")
        assert not has_account(again, "next")
        second.reset(org.id)
        assert not has_account(again, "kept account")
        assert again.edition == "Unlimited"
        other = second.create()
        assert other.id not in (org.id, default)

        third = reopen()
        assert [o.id for o in third.list()] == [default, org.id, other.id]
        assert not has_account(third.get(org.id), "kept account")
        third.delete(other.id)
        assert [o.id for o in reopen().list()] == [default, org.id]

    def test_a_second_definition_is_made_once(self, tmp_path: Path, small: Path) -> None:
        other = tmp_path / "other.yaml"
        other.write_text(SMALL.replace("small", "other").replace("Small", "Other"))
        with fresh_database() as url:
            config = CatalogueConfig(
                database=url, state=None if url else tmp_path / "state", orgs=(small, other)
            )
            for _ in range(2):
                made = OrgCatalogue(config, behaviour())
                assert [org.name for org in made.list()] == ["Small", "Other"]
                assert made.default.name == "Small"
                assert made.find_user("boss@other.example") is not None
                made.close()


class TestFiles:
    """The state folder of an SQLite server."""

    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Iterator[Callable[[], OrgCatalogue]]:
        opened: list[OrgCatalogue] = []

        def again() -> OrgCatalogue:
            if opened:
                opened[-1].close()
            opened.append(OrgCatalogue(CatalogueConfig(state=tmp_path / "state"), behaviour()))
            return opened[-1]

        yield again
        opened[-1].close()

    def test_the_folder_holds_a_file_per_org(self, reopen: Any, tmp_path: Path) -> None:
        catalogue = reopen()
        catalogue.reset(catalogue.default.id)
        catalogue.create()
        assert (tmp_path / "state" / "catalogue.sqlite").exists()
        names = {p.name.split(".")[0] for p in (tmp_path / "state" / "orgs").iterdir()}
        assert names == {org.id for org in catalogue.list()}

    def test_an_interrupted_reset_is_finished_at_the_next_start(
        self, reopen: Any, tmp_path: Path
    ) -> None:
        catalogue = reopen()
        org = catalogue.create(name="half")
        template = catalogue._templates.get(None)
        catalogue._spaces.swap(org.store, org.id, template.name)  # and here the machine died
        org = reopen().get(org.id)
        assert rows(org, "Organization", "Id", "Name") == [(org.id, "half")]
        assert username(org, "admin") == "admin@acme.example.half"
        org.store.close()

    def test_a_claim_whose_user_never_came_is_given_up(
        self, reopen: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        catalogue = reopen()
        org = catalogue.default
        assert org.usernames.claim("ghost@x.example", "005000000000009AAA")
        assert catalogue.find_user("ghost@x.example") is None
        assert not org.usernames.claim("ghost@x.example", "005000000000008AAA")
        monkeypatch.setattr("simorg.org.usernames._GRACE", -1.0)
        assert org.usernames.claim("ghost@x.example", "005000000000008AAA")
        assert not org.usernames.claim("admin@acme.example", "005000000000008AAA")

    def test_what_an_interrupted_creation_left_is_swept(
        self, reopen: Callable[[], OrgCatalogue], tmp_path: Path
    ) -> None:
        catalogue = reopen()
        catalogue.snapshot(catalogue.default.id, "kept")
        folder = tmp_path / "state" / "orgs"
        left = [folder / f"{ids.make('00D', 99)}.sqlite", folder / "00D.partial"]
        for path in left:
            path.write_bytes(b"half a file")
        catalogue = reopen()
        assert not any(path.exists() for path in left)
        catalogue.restore(catalogue.default.id, "kept")
