"""simple-salesforce as a client of `simorg check`: the library as its documentation shows it.

    simorg check --client "python examples/check/simple_salesforce_client.py"

What is retried, and what is not, is the library's choice; this file adds nothing to it.
"""

import os
import sys

import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceError

SKIP = 77
GIVEN = os.environ


def connect() -> Salesforce:
    """By the login that is asked for. Its hosts are built in, so it goes through the proxy."""
    session = requests.Session()
    session.verify = GIVEN["SIMORG_CA"]
    kind = GIVEN["SIMORG_LOGIN"]
    if kind == "session":
        return Salesforce(
            session_id=GIVEN["SIMORG_ACCESS_TOKEN"],
            instance_url=GIVEN["SIMORG_HTTPS"],
            session=session,
        )
    session.proxies = {"https": GIVEN["SIMORG_PROXY"]}
    user = {"username": GIVEN.get("SIMORG_USERNAME"), "session": session}
    if kind == "password":
        return Salesforce(
            **user,
            password=GIVEN["SIMORG_PASSWORD"],
            consumer_key=GIVEN["SIMORG_CLIENT_ID"],
            consumer_secret=GIVEN["SIMORG_CLIENT_SECRET"],
        )
    if kind == "soap":
        return Salesforce(
            **user,
            password=GIVEN["SIMORG_PASSWORD"],
            security_token=GIVEN["SIMORG_SECURITY_TOKEN"],
        )
    if kind == "jwt":
        return Salesforce(
            **user,
            consumer_key=GIVEN["SIMORG_CLIENT_ID"],
            privatekey_file=GIVEN["SIMORG_JWT_KEY"],
        )
    skip(f"simple-salesforce has no login by {kind}")


def skip(why: str) -> None:
    print(why)
    sys.exit(SKIP)


def query(sf: Salesforce) -> None:
    for record in sf.query(GIVEN["SIMORG_SOQL"])["records"]:
        print(record["Name"])


def run(task: str) -> None:
    if GIVEN["SIMORG_API"] != "rest":
        skip("simple-salesforce queries over REST only")
    if task == "read-policy":
        skip("simple-salesforce reads fields; what they mean is its user's business")
    sf = connect()
    if task == "query":
        query(sf)
    elif task == "query-twice":
        query(sf)
        print("simorg: next", flush=True)
        sys.stdin.readline()
        query(sf)
    elif task == "create":
        print(sf.Account.create({"Name": GIVEN["SIMORG_RECORD_NAME"]})["id"])
    elif task == "update":
        sf.Account.update(GIVEN["SIMORG_RECORD_ID"], {"Description": "changed"})
    elif task != "login":
        skip(f"the task {task} is unknown here")


if __name__ == "__main__":
    try:
        run(GIVEN["SIMORG_TASK"])
    except (SalesforceError, requests.RequestException, RuntimeError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
