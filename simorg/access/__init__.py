"""Who may call what: permissions, connected apps, API Access Control, sessions, the gate."""

from simorg.access.behaviour import behaviour

__all__ = ["behaviour"]
