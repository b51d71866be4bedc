"""HEALTHCHECK of the image: 0 if the server in this container answers, 1 if not.

Asks ``/_simorg/health`` from loopback, with the control token where there is one, and by no proxy.
"""

import json
import os
import sys
from urllib.request import ProxyHandler, Request, build_opener


def healthy(url: str, token: str | None) -> bool:
    """Whether the server at ``url`` says that it is well."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with build_opener(ProxyHandler({})).open(
            Request(url, headers=headers), timeout=4
        ) as answer:
            return bool(json.load(answer)["status"] == "ok")
    except (OSError, ValueError, KeyError) as error:
        print(f"{url}: {error}", file=sys.stderr)
        return False


if __name__ == "__main__":
    address = os.environ.get("SIMORG_HEALTH_URL", "http://127.0.0.1:8080/_simorg/health")
    sys.exit(0 if healthy(address, os.environ.get("SIMORG_CONTROL_TOKEN")) else 1)
