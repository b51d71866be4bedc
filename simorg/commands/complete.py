"""Shell completion: ``simorg completion``, and words asked of the server that runs."""

from __future__ import annotations

import json
import os
import urllib.request
from typing import Any
from urllib.parse import quote

import click
from click.shell_completion import CompletionItem, get_completion_class

from simorg.commands.remote import USAGE, fail

_SHELLS = ("bash", "zsh", "fish")

#: bash takes words as they are: names of apps have spaces, which nobody quoted
_QUOTED = ("COMPREPLY+=($value)", 'COMPREPLY+=("$(printf %q "$value")")')


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS), required=False)
def completion(shell: str | None) -> None:
    """Print what makes a shell complete simorg's commands, options and names.

    \b
    bash:  eval "$(simorg completion bash)"      in ~/.bashrc
    zsh:   eval "$(simorg completion zsh)"       in ~/.zshrc
    fish:  simorg completion fish | source       in ~/.config/fish/config.fish
    """
    shell = shell or os.path.basename(os.environ.get("SHELL", ""))
    if shell not in _SHELLS:
        fail(f"completion is there for {', '.join(_SHELLS)}", USAGE)
    from simorg.cli import main

    found = get_completion_class(shell)
    if found is None:
        fail(f"click knows no completion for {shell}", USAGE)
    text = found(main, {}, "simorg", "_SIMORG_COMPLETE").source()
    click.echo(text.replace(*_QUOTED) if shell == "bash" else text)


def _ask(ctx: click.Context, path: str) -> Any:
    """A control answer within three seconds, or None: completion never complains."""
    url = str(ctx.params.get("url") or os.environ.get("SIMORG_URL") or "http://127.0.0.1:8080")
    headers = {}
    if token := os.environ.get("SIMORG_CONTROL_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        request = urllib.request.Request(f"{url.rstrip('/')}/_simorg/{path}", headers=headers)
        with opener.open(request, timeout=3) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None


def _org(ctx: click.Context) -> str:
    return quote(str(ctx.params.get("org") or "default"), safe="")


def _offer(words: list[tuple[str, str]], begun: str) -> list[CompletionItem]:
    return [
        CompletionItem(word, help=told)
        for word, told in words
        if word.lower().startswith(begun.lower())
    ]


def orgs(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Ids of the server's orgs."""
    found = _ask(ctx, "orgs") or {"orgs": []}
    return _offer([(org["id"], org["name"]) for org in found["orgs"]], begun)


def users(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Usernames of the org."""
    found = _ask(ctx, f"orgs/{_org(ctx)}") or {"users": []}
    return _offer([(user["username"], user["userType"]) for user in found["users"]], begun)


def apps(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Names of the org's connected apps."""
    found = _ask(ctx, f"orgs/{_org(ctx)}/connected-apps") or {"connectedApps": []}
    return _offer([(app["name"], app["state"]) for app in found["connectedApps"]], begun)


def sections(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Names of the settings sections, then ``member=``."""
    found = _ask(ctx, f"orgs/{_org(ctx)}/settings") or {}
    chosen = ctx.params.get("section")
    if chosen in found:
        return _offer([(f"{name}=", str(value)) for name, value in found[chosen].items()], begun)
    return _offer([(name, "") for name in found], begun)
