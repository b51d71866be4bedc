"""Which pages there are: address, label, place in the menu, permissions, module.

Addresses are Salesforce's where it has the page; those below ``/lightning/setup/Simorg`` are ours.
https://github.com/tprouvot/Salesforce-Inspector-reloaded/blob/main/addon/links.js
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from simorg.access import needs
from simorg.access.needs import Need

if TYPE_CHECKING:
    from simorg.org.org import Org

HOME = "/lightning/setup/SetupOneHome/home"


@dataclass(frozen=True, slots=True)
class Page:
    """A page. ``view`` names ``module:function`` below ``simorg.setup_ui``; it gets a ``Visit``
    and the address's parameters. ``action`` is the same for POST: a page without takes none."""

    path: str
    label: str
    view: str
    action: str | None = None
    #: heading of the menu it stands under; None: reached from another page
    section: str | None = None
    #: what a visitor must hold to see it (``access.needs``); actions ask for theirs themselves
    need: Need = needs.VIEW_SETUP
    #: ``module:function`` of (org) -> bool: whether the menu lists it
    listed: str | None = None
    #: further words Quick Find knows it by
    words: str = ""
    #: the path of the menu entry that stays marked while this page is open
    under: str | None = None


def resolve(name: str) -> Callable[..., Any]:
    """The function that ``module:function`` names."""
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(f"simorg.setup_ui.{module}"), function)
    return found


#: headings of the menu, in order
SECTIONS = ("Apps", "Users", "Identity", "Security", "simorg")

PAGES: tuple[Page, ...] = (
    Page(HOME, "Setup Home", "home:show"),
    Page(
        "/lightning/setup/ApiAccessControl/home",
        "API Access Control",
        "api_access_control:show",
        "api_access_control:save",
        section="Security",
        listed="api_access_control:listed",
        words="API client whitelisting allowlisted connected apps preference",
    ),
    Page(
        "/lightning/setup/ConnectedAppsUsage/home",
        "Connected Apps OAuth Usage",
        "apps_usage:show",
        "apps_usage:act",
        section="Apps",
        need=needs.APPS_USAGE,
        words="tokens revoke block unblock install uninstall",
    ),
    Page(
        "/lightning/setup/ConnectedAppsUsage/<app_id>/users",
        "Users of a connected app",
        "apps_usage:users",
        "apps_usage:revoke",
        need=needs.APPS_USAGE,
        under="/lightning/setup/ConnectedAppsUsage/home",
    ),
    Page(
        "/identity/app/AppInstallApprovalPage.apexp",
        "Install connected app?",
        "apps_usage:ask_install",
        "apps_usage:install",
        need=needs.MANAGE_APPS,
        under="/lightning/setup/ConnectedAppsUsage/home",
    ),
)


def menu(org: Org, find: str = "") -> list[tuple[str, list[Page]]]:
    """(heading, pages) for the menu; ``find`` keeps pages whose words hold all of its words."""
    wanted = find.lower().split()
    found = []
    for section in SECTIONS:
        pages = [
            page
            for page in PAGES
            if page.section == section
            and all(word in f"{page.label} {section} {page.words}".lower() for word in wanted)
            and (page.listed is None or resolve(page.listed)(org))
        ]
        if pages:
            found.append((section, pages))
    return found
