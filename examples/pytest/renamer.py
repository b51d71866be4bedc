"""The code under test: an integration that renames accounts."""

from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceMalformedRequest

ATTEMPTS = 3


def rename(org: Salesforce, old: str, new: str) -> int:
    """Rename every account of that name; how many there were."""
    name = old.replace("\\", "\\\\").replace("'", "\\'")
    found = org.query_all(f"SELECT Id FROM Account WHERE Name = '{name}'")["records"]
    for record in found:
        _update(org, record["Id"], {"Name": new})
    return len(found)


def _update(org: Salesforce, account: str, fields: dict[str, str]) -> None:
    """Update an account; a row that somebody else has locked is tried again."""
    for left in reversed(range(ATTEMPTS)):
        try:
            org.Account.update(account, fields)
            return
        except SalesforceMalformedRequest as refused:
            if not left or refused.content[0]["errorCode"] != "UNABLE_TO_LOCK_ROW":
                raise


def is_connected(org: Salesforce) -> bool:
    """Whether the session is good for the API."""
    try:
        org.limits()
    except SalesforceExpiredSession:
        return False
    return True
