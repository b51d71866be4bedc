"""The code under test: an integration that renames accounts."""

from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceExpiredSession


def rename(org: Salesforce, old: str, new: str) -> int:
    """Rename every account of that name; how many there were."""
    name = old.replace("\\", "\\\\").replace("'", "\\'")
    found = org.query_all(f"SELECT Id FROM Account WHERE Name = '{name}'")["records"]
    for record in found:
        org.Account.update(record["Id"], {"Name": new})
    return len(found)


def is_connected(org: Salesforce) -> bool:
    """Whether the session is good for the API."""
    try:
        org.limits()
    except SalesforceExpiredSession:
        return False
    return True
