"""The APIs served over SOAP: path letter, Spyne application, WSDL.

Built once per process: nothing in them belongs to an org or a server (what does travels in each
request's ``Call``).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from functools import cached_property
from importlib import resources
from typing import Any

from simorg.soap.call import Call
from simorg.soap.declare import Namespace
from simorg.soap.faults import WireFault, api_fault
from simorg.soap.metadata import MetadataService
from simorg.soap.metadata_types import METADATA_URI, metadata
from simorg.soap.partner import PartnerService
from simorg.soap.partner_types import FAULT_URI, PARTNER_URI, SOBJECT_URI, fault, partner, sobject
from simorg.soap.protocol import WireProtocol
from simorg.soap.spyne_compat import Application, MethodContext, ServerBase
from simorg.soap.wsdl import Document, Names

_log = logging.getLogger(__name__)

#: the version the checked-in WSDLs are made for
WSDL_VERSION = 59


class _Transport(ServerBase):  # type: ignore[misc]
    """Runs one call through Spyne's pipeline; HTTP is the endpoint's business."""

    transport = "http://schemas.xmlsoap.org/soap/http"

    def answer(self, body: bytes, call: Call) -> tuple[bool, bytes]:
        """(whether it is an answer and no fault, the document)."""
        context = MethodContext(self, MethodContext.SERVER)
        context.in_string = [body]
        context.udc = call
        context = self.generate_contexts(context)[0]
        if context.in_error is None:
            self.get_in_object(context)
        if context.in_error is None:
            self.get_out_object(context)
        else:
            context.out_error = context.in_error
        try:
            self.get_out_string(context)
        except Exception:
            _log.exception("an answer could not be written")
            context.out_error = api_fault("UNKNOWN_EXCEPTION", "An unexpected error occurred.")
            context.out_document = context.out_string = None
            self.get_out_string(context)
        document: bytes = b"".join(context.out_string)
        # context.close() is left out: nothing is open, and it would run a full gc.collect()
        return context.out_error is None, document


class Api:
    """One API under ``/services/Soap/{letter}/``."""

    def __init__(
        self,
        name: str,
        names: Names,
        service: Any,
        types: Iterable[Namespace],
        *,
        faults: Namespace | None = None,
        fault_uri: str,
    ) -> None:
        self.name = name
        self.names = names
        self.letter = names.letter
        self._service = service
        self._types = tuple(types)
        self._faults = faults
        self._fault_uri = fault_uri
        self._built: _Transport | None = None
        self._lock = threading.Lock()

    @property
    def _transport(self) -> _Transport:
        """Built at first use, by one thread."""
        if self._built is None:
            with self._lock:
                if self._built is None:
                    self._built = self._build()
        return self._built

    def _build(self) -> _Transport:
        def protocol() -> WireProtocol:
            return WireProtocol(self._fault_uri, typed_faults=self._faults is not None)

        application = Application(
            [self._service],
            tns=self._types[0].uri,
            name=self.names.service,
            in_protocol=protocol(),
            out_protocol=protocol(),
        )
        return _Transport(application)

    def answer(self, body: bytes, call: Call) -> tuple[bool, bytes]:
        """Run one call: (whether it succeeded, the answer's bytes)."""
        return self._transport.answer(body, call)

    def fault(self, fault: WireFault) -> bytes:
        """The answer to what is refused before it is a call."""
        document: bytes = self._transport.app.out_protocol.fault_document(fault)
        return document

    def wsdl(self) -> bytes:
        """The WSDL, generated from the service."""
        document = Document(self._transport.app, self.names, self._types, self._faults)
        return document.build(WSDL_VERSION)

    @cached_property
    def packaged_wsdl(self) -> bytes:
        """The WSDL as checked in."""
        return resources.files("simorg.wsdl").joinpath(f"{self.name}.wsdl").read_bytes()


PARTNER = Api(
    "partner",
    Names(
        "Soap",
        "SoapBinding",
        "SforceService",
        "Soap",
        "u",
        (("ens", SOBJECT_URI), ("tns", PARTNER_URI), ("fns", FAULT_URI)),
    ),
    PartnerService,
    (partner, sobject, fault),
    faults=fault,
    fault_uri=FAULT_URI,
)
METADATA = Api(
    "metadata",
    Names(
        "MetadataPortType",
        "MetadataBinding",
        "MetadataService",
        "Metadata",
        "m",
        (("tns", METADATA_URI),),
    ),
    MetadataService,
    (metadata,),
    fault_uri=METADATA_URI,
)
APIS = (PARTNER, METADATA)
