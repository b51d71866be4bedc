"""Spyne 2.14 on every Python we support: the one place that imports it.

Spyne bundles a copy of ``six`` whose import hook Python 3.12 no longer understands, and imports
``cgi``, which Python 3.13 dropped (``legacy-cgi`` brings it back there). The bundled copy is
replaced by the ``six`` package before Spyne's first import, and the warnings that its import
raises (invalid escapes, ``cgi``) are kept from users who turn warnings into errors.
Everything the rest of ``soap`` needs of Spyne is re-exported from here.
"""

from __future__ import annotations

import logging
import sys
import warnings
from operator import attrgetter
from types import ModuleType

import six
import six.moves
import six.moves.urllib.error
import six.moves.urllib.parse
import six.moves.urllib.request


def _alias_six() -> None:
    """``spyne.util.six[.moves...]`` become the ``six`` package's modules.

    Spyne added one function to its copy; ours has it too.
    """
    ours = ModuleType("spyne.util.six")
    vars(ours).update(vars(six), __name__="spyne.util.six", __path__=[])
    vars(ours)["get_function_name"] = attrgetter("__name__")
    sys.modules.setdefault("spyne.util.six", ours)
    for name, module in list(sys.modules.items()):
        if name == "six.moves" or name.startswith("six.moves."):
            sys.modules.setdefault(f"spyne.util.{name}", module)
    # lazily made by six, so not in sys.modules under these names yet
    for name in ("collections_abc", "http_cookies"):
        sys.modules.setdefault(f"spyne.util.six.moves.{name}", getattr(six.moves, name))


_alias_six()
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", SyntaxWarning)
    warnings.simplefilter("ignore", ImportWarning)
    from spyne import Application, Service, rpc
    from spyne.context import MethodContext
    from spyne.model import (
        AnyXml,
        Boolean,
        ByteArray,
        ComplexModel,
        ComplexModelBase,
        DateTime,
        Double,
        Integer32,
        Unicode,
    )
    from spyne.model.fault import Fault
    from spyne.protocol.soap import Soap11
    from spyne.server import ServerBase

# Spyne logs every fault as an error; a refused call is no error of ours, and what is one
# (an exception that is no SalesforceError) we log ourselves.
logging.getLogger("spyne").setLevel(logging.CRITICAL + 1)

__all__ = [
    "AnyXml",
    "Application",
    "Boolean",
    "ByteArray",
    "ComplexModel",
    "ComplexModelBase",
    "DateTime",
    "Double",
    "Fault",
    "Integer32",
    "MethodContext",
    "ServerBase",
    "Service",
    "Soap11",
    "Unicode",
    "rpc",
]
