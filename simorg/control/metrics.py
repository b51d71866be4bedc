"""``GET /_simorg/metrics``, for Prometheus."""

from __future__ import annotations

from flask import Response

from simorg import __version__
from simorg.control.context import Context
from simorg.traffic.metrics import exposition, process_samples

_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def show(context: Context) -> Response:
    """What the server, all its processes together, has counted since it started."""
    samples, processes = context.traffic.metrics.read()
    samples["simorg_orgs"] = float(context.catalogue.count())
    samples["simorg_processes"] = float(len(processes))
    samples[f'simorg_build_info{{version="{__version__}"}}'] = 1.0
    samples |= process_samples(processes)
    return Response(exposition(samples), content_type=_TYPE)
