"""The REST API: ``/services/data``. ``routes.py`` is its table of contents."""

from simorg.rest.mount import Application

__all__ = ["Application"]
