"""A template: an org built once from a definition, to be copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simorg.org.store.core import BaseStore


@dataclass(frozen=True, slots=True)
class Template:
    """What must change in a copy; kept in the template itself (document ``template``)."""

    #: namespace it lives in
    name: str
    #: the org id its rows hold, and the columns that hold it
    org_id: str
    org_columns: tuple[tuple[str, str], ...]
    #: (username, user id)
    users: tuple[tuple[str, str], ...]
    #: document ``identity`` without the id
    identity: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "org_id": self.org_id,
            "org_columns": [list(pair) for pair in self.org_columns],
            "users": [list(pair) for pair in self.users],
            "identity": self.identity,
        }

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Template:
        return cls(
            name=saved["name"],
            org_id=saved["org_id"],
            org_columns=tuple((a, b) for a, b in saved["org_columns"]),
            users=tuple((a, b) for a, b in saved["users"]),
            identity=saved["identity"],
        )

    def renamed_users(self, suffix: str) -> list[tuple[str, str]]:
        """(username, user id) pairs of a copy."""
        return [(f"{username}{suffix}", user_id) for username, user_id in self.users]


@dataclass(frozen=True, slots=True)
class Copy:
    """Who a copy of a template is."""

    org_id: str
    name: str
    edition: str
    my_domain: str
    suffix: str


def personalise(store: BaseStore, template: Template, copy: Copy) -> None:
    """Give a fresh copy its own org id, name and usernames, in one transaction."""
    from simorg.org.settings import Documents
    from simorg.org.store.columns import qualified, quote

    mark = store.mark
    with store.writing() as tx:
        run = tx.connection.execute
        for table, column in template.org_columns:
            run(
                f"UPDATE {qualified(table, store.namespace)} SET {quote(column)} = {mark}"
                f" WHERE {quote(column)} = {mark}",
                (copy.org_id, template.org_id),
            )
        run(
            f'UPDATE {qualified("Organization", store.namespace)} SET "Name" = {mark},'
            f' "OrganizationType" = {mark}',
            (copy.name, f"{copy.edition} Edition"),
        )
        if copy.suffix:
            run(
                f'UPDATE {qualified("User", store.namespace)} SET "Username" ='
                f' "Username" || {mark}',
                (copy.suffix,),
            )
        Documents(store).write(
            "identity",
            {
                **template.identity,
                "id": copy.org_id,
                "name": copy.name,
                "edition": copy.edition,
                "my_domain": copy.my_domain,
            },
        )
