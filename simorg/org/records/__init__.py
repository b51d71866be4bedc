"""Records: create, change, delete and read by id, with Salesforce's rules (docs/records.md)."""

from __future__ import annotations

from simorg.org.records.create import create
from simorg.org.records.delete import delete
from simorg.org.records.replication import get_deleted, get_updated
from simorg.org.records.retrieve import find_by_external_id, retrieve
from simorg.org.records.system import system_insert, system_update
from simorg.org.records.undelete import empty_recycle_bin, purge_recycle_bin, undelete
from simorg.org.records.update import update
from simorg.org.records.upsert import upsert

__all__ = [
    "create",
    "delete",
    "empty_recycle_bin",
    "find_by_external_id",
    "get_deleted",
    "get_updated",
    "purge_recycle_bin",
    "retrieve",
    "system_insert",
    "system_update",
    "undelete",
    "update",
    "upsert",
]
