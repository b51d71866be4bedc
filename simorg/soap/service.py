"""What every SOAP service shares: declaring an operation, checking the session, refusing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from simorg.access import sessions
from simorg.access.questions import SOAP_PASSWORD_CHANGE
from simorg.errors import SalesforceError
from simorg.soap.call import Call
from simorg.soap.declare import Namespace
from simorg.soap.faults import api_fault, from_error
from simorg.soap.spyne_compat import Fault, Service, rpc
from simorg.soap.versions import check_served
from simorg.traffic.overtaken import overtaken

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of a service's table of operations. Texts as in ``declare.py``."""

    name: str
    #: called with the ``Call`` and the arguments in order (None for what was not sent)
    function: Callable[..., Any]
    arguments: str = ""
    #: the answer's only element, for instance ``result:SaveResult*``; None: it is empty
    result: str | None = None
    headers: str = "SessionHeader CallOptions"
    answer_headers: str = "LimitInfoHeader"
    #: fault types named in the WSDL
    faults: str = "UnexpectedErrorFault"
    #: no session needed
    open_to_all: bool = False

    def method(self, types: Namespace) -> Any:
        """The function as Spyne's ``rpc``."""
        declared = [types.element(a) for a in self.arguments.split()]
        options: dict[str, Any] = {
            "_operation_name": self.name,
            "_args": [n for n, _ in declared],
            "_in_header": tuple(types[h] for h in self.headers.split()),
            "_udd": {"faults": tuple(self.faults.split()), "open_to_all": self.open_to_all},
        }
        if self.answer_headers:
            options["_out_header"] = tuple(types[h] for h in self.answer_headers.split())
        if self.result is not None:
            variable, model = types.element(self.result)
            options |= {"_returns": model, "_out_variable_name": variable}
        return rpc(*[model for _, model in declared], **options)(self.function)


def build_service(name: str, types: Namespace, operations: Iterable[Operation]) -> Any:
    """A Spyne service class of these operations."""
    body = {o.name: o.method(types) for o in operations}
    meta: Any = type(SoapService)
    return meta(name, (SoapService,), {"__module__": __name__, **body})


class SoapService(Service):  # type: ignore[misc]
    """Base of the services: a session before every operation, refusals as faults."""

    @classmethod
    def call_wrapper(cls, ctx: Any, args: Any = None) -> Any:
        """Check the session, run the operation, answer its refusals as faults."""
        call: Call = ctx.udc
        try:
            if not ctx.descriptor.udd.open_to_all:
                call.caller = cls._authenticate(call, ctx.descriptor.operation_name)
            answer = ctx.function(call, *ctx.in_object)
            if ctx.descriptor.out_header and call.caller is not None:
                ctx.out_header = cls.answer_headers(call)
            return answer
        except SalesforceError as error:
            raise from_error(error, call.token) from error
        except Fault:
            raise
        except Exception as error:
            if overtaken(call.catalogue, call.environ, error, call.token):
                return cls.call_wrapper(ctx, args)
            _log.exception("SOAP operation %s failed", ctx.descriptor.operation_name)
            raise api_fault("UNKNOWN_EXCEPTION", "An unexpected error occurred.") from error

    @classmethod
    def _authenticate(cls, call: Call, operation: str) -> Any:
        caller = sessions.authenticate(
            call.catalogue,
            call.token,
            surface=SOAP_PASSWORD_CHANGE if operation == "setPassword" else "soap",
            api_version=call.version,
            environ=call.environ,
        )
        check_served(call, caller.org)
        return caller.with_options(**call.options())

    @classmethod
    def answer_headers(cls, call: Call) -> dict[str, Any]:
        """LimitInfoHeader, on every answer to a session."""
        usage = call.known().org.usage
        info = {"current": usage.used, "limit": usage.limit, "type": "API REQUESTS"}
        return {"LimitInfoHeader": {"limitInfo": [info]}}
