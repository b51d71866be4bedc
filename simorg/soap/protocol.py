"""Salesforce's wire protocol on Spyne's Soap11 (design decision 8).

Spyne keeps the services, their types and the pipeline; this class replaces what stands on the
wire: input is matched by local name, output is un-prefixed in the service's default namespace
inside a prefixed envelope, in declared order, and faults have Salesforce's codes. Values are
written straight to text by compiled writers; no element tree is built.
"""

from __future__ import annotations

from typing import Any

from simorg.soap import reader
from simorg.soap.call import Call
from simorg.soap.faults import WireFault, api_fault, client_fault
from simorg.soap.partner_types import SOBJECT_URI
from simorg.soap.reader import Envelope, local
from simorg.soap.spyne_compat import Fault, Soap11
from simorg.soap.values import members
from simorg.soap.writer import Out, Writers

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_XSI = reader.XSI_URI
_MUST_UNDERSTAND = f"{{{reader.ENVELOPE_URI}}}mustUnderstand"


class WireProtocol(Soap11):  # type: ignore[misc]
    """In and out protocol of one API. ``ctx.udc`` is the ``Call``."""

    def __init__(self, fault_uri: str, *, typed_faults: bool) -> None:
        """``typed_faults``: whether faults carry ``detail`` (the Metadata API's do not)."""
        super().__init__()
        self._fault_uri = fault_uri
        self._typed_faults = typed_faults
        self._writers: dict[int, Writers] = {}

    # --- in -----------------------------------------------------------------------------------

    def create_in_document(self, ctx: Any, charset: str | None = None) -> None:
        """``ctx.in_string`` (the body's bytes) parsed; a declared charset is XML's business."""
        ctx.in_document = reader.envelope(reader.parse(b"".join(ctx.in_string)))

    def decompose_incoming_envelope(self, ctx: Any, message: Any = Soap11.REQUEST) -> None:
        """The operation is the local name of the body's first element."""
        envelope: Envelope = ctx.in_document
        ctx.in_header_doc = envelope.headers
        ctx.in_body_doc = envelope.body
        ctx.method_request_string = f"{{{self.app.tns}}}{local(envelope.body)}"

    def get_call_handles(self, ctx: Any) -> list[Any]:
        """The operation, or Salesforce's refusal of an unknown one."""
        handles: list[Any] = super().get_call_handles(ctx)
        if not handles:
            raise client_fault(
                "No operation available for request "
                f"{reader.qualified(ctx.in_body_doc)}, please check the WSDL for the service."
            )
        return handles

    def deserialize(self, ctx: Any, message: Any) -> None:
        """Arguments and headers as plain values; see ``values.py``."""
        call: Call = ctx.udc
        known = {h.get_type_name(): h for h in ctx.descriptor.in_header or ()}
        headers = {}
        for name, element in ctx.in_header_doc.items():
            if name in known:
                headers[name] = members(element, known[name], lenient=True)
            elif element.get(_MUST_UNDERSTAND) in ("1", "true"):
                raise api_fault(
                    "INVALID_SOAP_HEADER", f"Unexpected header: {reader.qualified(element)}"
                )
        call.headers = headers
        declared = ctx.descriptor.in_message.get_flat_type_info(ctx.descriptor.in_message)
        values = members(ctx.in_body_doc, ctx.descriptor.in_message)
        ctx.in_object = [values.get(name) for name in declared]

    # --- out ----------------------------------------------------------------------------------

    def writers(self, version: int) -> Writers:
        """The compiled writers for clients of that API version."""
        writers = self._writers.get(version)
        if writers is None:
            writers = self._writers[version] = Writers(version)
        return writers

    def serialize(self, ctx: Any, message: Any) -> None:
        """``ctx.out_document`` becomes the pieces of the answer's text."""
        if ctx.out_error is not None:
            ctx.out_document = self._fault(ctx.out_error)
            return
        out: Out = [self._envelope_start]
        writers = self.writers(ctx.udc.version)
        if ctx.out_header is not None:
            self._headers(ctx, writers, out)
        out.append("<soapenv:Body>")
        model = ctx.descriptor.out_message
        result = dict(zip(model.get_flat_type_info(model), ctx.out_object, strict=False))
        writers.element(model.get_type_name(), model)(result, out)
        out.append("</soapenv:Body></soapenv:Envelope>")
        ctx.out_document = out

    @property
    def _envelope_start(self) -> str:
        sobject = f' xmlns:sf="{SOBJECT_URI}"' if self._typed_faults else ""
        return (
            f'{_DECLARATION}<soapenv:Envelope xmlns:soapenv="{reader.ENVELOPE_URI}"'
            f' xmlns="{self.app.tns}"{sobject} xmlns:xsi="{_XSI}"'
            ' xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
        )

    def _headers(self, ctx: Any, writers: Writers, out: Out) -> None:
        out.append("<soapenv:Header>")
        for model in ctx.descriptor.out_header or ():
            value = ctx.out_header.get(model.get_type_name())
            if value is not None:
                writers.element(model.get_type_name(), model)(value, out)
        out.append("</soapenv:Header>")

    def _fault(self, fault: Fault) -> Out:
        if not isinstance(fault, WireFault):
            fault = api_fault("UNKNOWN_EXCEPTION", str(fault.faultstring))
        return [
            f'{_DECLARATION}<soapenv:Envelope xmlns:soapenv="{reader.ENVELOPE_URI}"'
            f' xmlns:sf="{self._fault_uri}" xmlns:xsi="{_XSI}"><soapenv:Body>',
            fault.xml(with_detail=self._typed_faults),
            "</soapenv:Body></soapenv:Envelope>",
        ]

    def fault_document(self, fault: WireFault) -> bytes:
        """A whole answer for what is refused before there is a call."""
        return "".join(self._fault(fault)).encode()

    def create_out_string(self, ctx: Any, charset: str | None = None) -> None:
        """One piece of bytes."""
        ctx.out_string = ["".join(ctx.out_document).encode("utf-8")]
