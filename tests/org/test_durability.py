"""``--state``: a killed process loses no record it has acknowledged."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from simorg.org.catalogue import CatalogueConfig, OrgCatalogue
from simorg.org.records import create
from simorg.org.schema.model import CustomObjectDefinition

WRITER = """
import os
import sys
from pathlib import Path
from threading import Thread
from simorg.org.catalogue import CatalogueConfig, OrgCatalogue
from simorg.org.records import create

catalogue = OrgCatalogue(CatalogueConfig(state=Path(sys.argv[1])))
org = catalogue.default
caller = org.system_caller()

def write(lane):
    n = 0
    while True:
        name = f"{sys.argv[2]}-{lane}-{n}"
        [account] = create(caller, [("Account", {"Name": name})])
        [contact] = create(caller, [("Contact", {"LastName": name, "AccountId": account.id})])
        assert account.success and contact.success
        # the acknowledgement: one write to a pipe, whole or not at all
        os.write(1, f"{account.id} {contact.id} {name}\\n".encode())
        n += 1

print("ready", flush=True)
for lane in range(2):
    Thread(target=write, args=(lane,)).start()
"""


def run_and_kill(state: Path, number: int, chance: random.Random) -> list[list[str]]:
    """Write until killed after some acknowledgements; what was acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(state), str(number)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    acknowledged = [process.stdout.readline() for _ in range(chance.randint(1, 25))]
    os.kill(process.pid, signal.SIGKILL)
    acknowledged += process.stdout.readlines()
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    return [line.decode().split() for line in acknowledged if line.endswith(b"\n")]


def rows(catalogue: OrgCatalogue, name: str, *columns: str) -> dict[str, tuple[str, ...]]:
    store = catalogue.default.store
    table = store.table(name)
    query = sa.select(table.c.Id, *(table.c[c] for c in columns))
    with store.reading() as reader:
        return {row[0]: row[1:] for row in reader.rows(store.prepare(query))}


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_no_acknowledged_record_is_lost(tmp_path: Path, kills: int) -> None:
    """Of two servers side by side, each killed as often."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(partial(kill, kills), (tmp_path / "a", tmp_path / "b")))


def kill(times: int, state: Path) -> None:
    OrgCatalogue(CatalogueConfig(state=state)).close()
    chance = random.Random(state.name)
    acknowledged: list[list[str]] = []
    for number in range(times):
        acknowledged += run_and_kill(state, number, chance)
    catalogue = OrgCatalogue(CatalogueConfig(state=state))
    try:
        accounts = rows(catalogue, "Account", "Name")
        contacts = rows(catalogue, "Contact", "LastName", "AccountId")
        assert len(acknowledged) >= times
        for account, contact, name in acknowledged:
            assert accounts[account] == (name,)
            assert contacts[contact] == (name, account)
        ids = [line[0] for line in acknowledged]
        assert len(set(ids)) == len(ids), "an id was given twice"
        with catalogue.default.store.reading() as reader:
            assert reader.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        [more] = create(catalogue.default.system_caller(), [("Account", {"Name": "after"})])
        assert more.id is not None and more.id > max(accounts)
    finally:
        catalogue.close()


def test_a_commit_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    catalogue = OrgCatalogue(CatalogueConfig(state=tmp_path / "state"))
    try:
        org = catalogue.default
        org.add_object(CustomObjectDefinition("Own__c", "Own", "Owns"))
        with org.store.reading() as reader:
            assert reader.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert reader.connection.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
    finally:
        catalogue.close()
