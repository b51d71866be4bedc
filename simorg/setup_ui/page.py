"""What a page is: an address, what it is called, who may see it, the functions behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from simorg.access import needs
from simorg.access.needs import Need


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
