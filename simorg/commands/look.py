"""Commands that look at a running server: ``ca``, ``orgs``, ``explain``, ``query``."""

from __future__ import annotations

from typing import Any

import click

from simorg.commands import complete
from simorg.commands.options import JSON, ORG, URL
from simorg.commands.remote import call, fetch, in_path
from simorg.commands.tables import print_json, print_table


@click.command()
@URL
@click.option("--pem", is_flag=True, help="Print the certificate itself.")
@JSON
def ca(url: str, pem: bool, as_json: bool) -> None:
    """Print where the local CA's certificate is, and how clients trust it."""
    if pem:
        click.echo(fetch(url, "ca.pem").decode(), nl=False)
        return
    path = call(url, "health")["ca"]
    if as_json:
        print_json({"path": path})
        return
    click.echo(path)
    click.echo(f"\nPython (requests, simple-salesforce, zeep): REQUESTS_CA_BUNDLE={path}")
    click.echo(f"Node (jsforce, sf CLI): NODE_EXTRA_CA_CERTS={path}")
    click.echo(f"httpx, aiohttp, OpenSSL: SSL_CERT_FILE={path}\ncurl: --cacert {path}")


@click.command()
@URL
@JSON
def orgs(url: str, as_json: bool) -> None:
    """List a running server's orgs."""
    found = call(url, "orgs")
    if as_json:
        print_json(found)
        return
    rows = [(org["id"], org["edition"], org["name"]) for org in found["orgs"]]
    print_table(("Id", "Edition", "Name"), rows)


@click.command()
@URL
@ORG
@click.option(
    "--user",
    required=True,
    help="Username, or its part before the @.",
    shell_complete=complete.users,
)
@click.option(
    "--app",
    help="Connected app name; none for a SOAP login or UI session.",
    shell_complete=complete.apps,
)
@click.option("--flow", help="How the session is obtained: password, without --app soap_login.")
@click.option(
    "--surface",
    type=click.Choice(["rest", "soap", "bulk"]),
    default="rest",
    show_default=True,
    help="The API that is called.",
)
@JSON
def explain(
    url: str,
    org: str,
    user: str,
    app: str | None,
    flow: str | None,
    surface: str,
    as_json: bool,
) -> None:
    """Say why a user gets in through an app, or does not: every rule asked, with its source."""
    asked = {"user": user, "app": app, "flow": flow, "surface": surface}
    answer = call(url, f"orgs/{in_path(org)}/explain", asked)
    if as_json:
        print_json(answer)
    else:
        click.echo(answer["text"])


@click.command()
@click.argument("soql")
@URL
@ORG
@click.option("--all-rows", is_flag=True, help="Deleted records too.")
@JSON
def query(soql: str, url: str, org: str, all_rows: bool, as_json: bool) -> None:
    """Show the rows of a SOQL query, whoever may see them."""
    asked = {"soql": soql, "allRows": all_rows}
    found = call(url, f"orgs/{in_path(org)}/query", asked)
    if as_json:
        print_json(found)
        return
    rows = [_flat(record) for record in found["records"]]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if columns:
        print_table(columns, [[row.get(name) for name in columns] for row in rows])
    click.echo(f"{found['totalSize']} records", err=True)


def _flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"Owner": {"Name": "Ada"}}`` -> ``{"Owner.Name": "Ada"}``."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict) and "records" not in value:
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
