"""simorg's own columns behind standard records (design decision 1).

No client may name, read or write them; they are added to the objects as these are loaded, so a
new column needs no rebuild of the catalogue: add a line to the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from simorg.org.schema.model import Field

#: object -> columns, "name" (text) or "name:type"; each gets the prefix ``simorg_``
_COLUMNS: dict[str, str] = {
    "ConnectedApplication": (
        "ConsumerKey ConsumerSecret Installed:boolean Blocked:boolean BlockedByAllowlisting:boolean"
        " StoredPolicy:boolean Certificate:textarea CallbackUrls:textarea Scopes:textarea"
        " RunAsUserId FirstParty:boolean Config:textarea"
    ),
    "User": "PasswordHash SecurityToken PasswordExpired:boolean",
    "AuthSession": "TokenHash Flow AppId Scopes:textarea OauthTokenKey Ended:boolean",
    "OauthToken": "Key RefreshHash AppId Scopes:textarea Flow State:textarea",
    "DeleteEvent": "RecordId:reference Root:reference Cleared:textarea Gone:boolean",
}


def _private(column: str) -> Field:
    name, _, kind = column.partition(":")
    return Field(
        name=f"simorg_{name}",
        label=name,
        type=kind or "string",
        length=0 if kind == "boolean" else 131072,
        nillable=kind != "boolean",
        defaulted_on_create=kind == "boolean",
        case_sensitive=not kind,
        default=False if kind == "boolean" else None,
        private=True,
    )


PRIVATE_FIELDS: Mapping[str, tuple[Field, ...]] = MappingProxyType(
    {name: tuple(_private(c) for c in columns.split()) for name, columns in _COLUMNS.items()}
)
