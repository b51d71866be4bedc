"""Commands that look at a running server: ``ca``, ``orgs``, ``explain``."""

from __future__ import annotations

import json

import click

from simorg.commands.remote import JSON, URL, call, fetch


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
        click.echo(json.dumps({"path": path}))
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
        click.echo(json.dumps(found))
        return
    for org in found["orgs"]:
        click.echo(f"{org['id']}  {org['edition']:<12} {org['name']}")


@click.command()
@URL
@click.option("--org", help="Org id (default: the default org).")
@click.option("--user", required=True, help="Username, or its part before the @.")
@click.option("--app", help="Connected app name; none for a SOAP login or UI session.")
@click.option("--flow", help="How the session is obtained: password, without --app soap_login.")
@click.option("--surface", type=click.Choice(["rest", "soap", "bulk"]), default="rest")
@JSON
def explain(
    url: str,
    org: str | None,
    user: str,
    app: str | None,
    flow: str | None,
    surface: str,
    as_json: bool,
) -> None:
    """Say why a user gets in through an app, or does not: every rule asked, with its source."""
    asked = {"user": user, "app": app, "flow": flow, "surface": surface}
    answer = call(url, f"orgs/{org or 'default'}/explain", asked)
    click.echo(json.dumps(answer) if as_json else answer["text"])
