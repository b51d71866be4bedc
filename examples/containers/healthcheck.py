"""HEALTHCHECK of the image: 0 if the server in this container answers, 1 if not.

Asks ``/_simorg/health`` from loopback, with the control token where there is one, and by no proxy.
It runs every two seconds, so it imports no more than it needs.
"""

import json
import os
import sys
from http.client import HTTPConnection, HTTPException


def healthy(url: str, token: str | None) -> bool:
    """Whether the server at ``url`` (``http://host:port/path``) says that it is well."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    host, _, path = url.removeprefix("http://").partition("/")
    connection = HTTPConnection(host, timeout=4)
    try:
        connection.request("GET", f"/{path}", headers=headers)
        answer = connection.getresponse()
        return bool(json.load(answer)["status"] == "ok")
    except (OSError, HTTPException, ValueError, KeyError) as error:
        print(f"{url}: {error}", file=sys.stderr)
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    address = os.environ.get("SIMORG_HEALTH_URL", "http://127.0.0.1:8080/_simorg/health")
    sys.exit(0 if healthy(address, os.environ.get("SIMORG_CONTROL_TOKEN")) else 1)
