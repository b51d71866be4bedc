"""simple-salesforce as a client of `simorg check`: the library as its documentation shows it.

    simorg check --client "python simple_salesforce_client.py"

What is retried, and what is not, is the library's choice; this file adds nothing to it.
"""

import os
import sys

import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceError

SKIP = 77


class Skip(Exception):
    """Not what this library does."""


def connect(given, session):
    """By the login that is asked for. Its hosts are built in, so it goes through the proxy."""
    kind = given["SIMORG_LOGIN"]
    session.verify = given["SIMORG_CA"]
    if kind == "session":
        return Salesforce(
            session_id=given["SIMORG_ACCESS_TOKEN"],
            instance_url=given["SIMORG_HTTPS"],
            session=session,
        )
    session.proxies = {"https": given["SIMORG_PROXY"]}
    user = {"username": given.get("SIMORG_USERNAME"), "session": session}
    if kind == "password":
        return Salesforce(
            **user,
            password=given["SIMORG_PASSWORD"],
            consumer_key=given["SIMORG_CLIENT_ID"],
            consumer_secret=given["SIMORG_CLIENT_SECRET"],
        )
    if kind == "soap":
        return Salesforce(
            **user,
            password=given["SIMORG_PASSWORD"],
            security_token=given["SIMORG_SECURITY_TOKEN"],
        )
    if kind == "jwt":
        return Salesforce(
            **user,
            consumer_key=given["SIMORG_CLIENT_ID"],
            privatekey_file=given["SIMORG_JWT_KEY"],
        )
    raise Skip(f"simple-salesforce has no login by {kind}")


def run(given, session, say, wait):
    task = given["SIMORG_TASK"]
    if given["SIMORG_API"] != "rest":
        raise Skip("simple-salesforce queries over REST only")
    if task == "read-policy":
        raise Skip("simple-salesforce reads fields; what they mean is its user's business")
    sf = connect(given, session)

    def query():
        for record in sf.query(given["SIMORG_SOQL"])["records"]:
            say(record["Name"])

    if task == "query":
        query()
    elif task == "query-twice":
        query()
        wait()
        query()
    elif task == "create":
        say(sf.Account.create({"Name": given["SIMORG_RECORD_NAME"]})["id"])
    elif task == "update":
        sf.Account.update(given["SIMORG_RECORD_ID"], {"Description": "changed"})
    elif task != "login":
        raise Skip(f"the task {task} is unknown here")


def main(given, say, wait):
    with requests.Session() as session:
        session.trust_env = False
        try:
            run(given, session, say, wait)
        except Skip as skip:
            say(str(skip))
            return SKIP
        except (SalesforceError, requests.RequestException, RuntimeError) as error:
            say(f"{type(error).__name__}: {error}")
            return 1
    return 0


def wait_for_a_line():
    print("simorg: next", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    sys.exit(main(os.environ, print, wait_for_a_line))
