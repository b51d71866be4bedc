"""What the server counts for Prometheus: requests, their time, refusals, faults, logins.

Labels are of few values: what clients can make up (an unknown operation) counts as ``other``.
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from simorg.access import trace
from simorg.traffic import cells
from simorg.traffic.body import head_of
from simorg.traffic.codes import error_code
from simorg.traffic.exchange import FAULT, Kept
from simorg.traffic.metric_names import SOAP_OPERATIONS
from simorg.traffic.names import UNKNOWN, operation_of, surface_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from simorg.traffic.exchange import Exchange

#: upper bounds of the duration histogram, seconds
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_REQUESTS = "simorg_requests_total"
_SECONDS = "simorg_request_duration_seconds"
_REFUSALS = "simorg_refusals_total"
_SESSIONS = "simorg_sessions_opened_total"
_FAULTS = "simorg_faults_total"
_IN_FLIGHT = "simorg_requests_in_flight"
_OTHER = "other"
#: paths remembered with their names, and codes counted by name, at the most
_MEMORY = 2000
_CODES = 200


class Metrics:
    """The observer. ``folder``: where the processes of the server see each other's numbers."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        path = None if folder is None else folder / f"{os.getpid()}-{time.monotonic_ns()}"
        self._cells = cells.Cells(path)
        #: (verb, path without an id, status class) -> its place, that of its surface's histogram
        self._places: dict[tuple[str, str, int], tuple[int, int]] = {}
        self._codes: set[str] = set()
        with self._cells.lock:
            self._in_flight = self._cells.index(_IN_FLIGHT)

    def begins(self, exchange: Exchange) -> None:
        if exchange.response is None:
            exchange.response = Kept(4096)  # a refusal's code is in its body
        counted = self._cells
        with counted.lock:
            counted.values[self._in_flight] += 1

    def ended(self, exchange: Exchange) -> None:
        environ = exchange.environ
        path: str = environ["PATH_INFO"]
        code = exchange.code
        head, _, last = path.rpartition("/")
        kind = head if len(last) in (15, 18) else path
        key = (environ["REQUEST_METHOD"], kind, code // 100)
        place = self._places.get(key)
        if place is None or "_HttpMethod" in environ.get("QUERY_STRING", ""):
            place = self._place(environ, key, code)
        seconds = exchange.seconds or 0.0
        counted = self._cells
        values = counted.values
        with counted.lock:
            values[self._in_flight] -= 1
            values[place[0]] += 1
            histogram = place[1]
            values[histogram] += seconds
            values[histogram + 1 + bisect_left(BUCKETS, seconds)] += 1
        if code >= 300 or exchange.notes or "oauth2" in head or "oap/" in head:
            self._remarkable(exchange, code)

    def _place(
        self, environ: WSGIEnvironment, key: tuple[str, str, int], code: int
    ) -> tuple[int, int]:
        surface, operation = names_of(environ, code)
        counted = self._cells
        status = f"{key[2]}xx" if code else "none"
        with counted.lock:
            sample = f'{_REQUESTS}{{surface="{surface}",operation="{operation}",status="{status}"}}'
            count = counted.index(sample)
            label = f'surface="{surface}"'
            histogram = counted.index(f"{_SECONDS}_sum{{{label}}}")
            for bound in (*BUCKETS, "+Inf"):  # one after the other, as they are made together
                counted.index(f'{_SECONDS}_bucket{{{label},le="{bound}"}}')
        if surface in ("rest", "bulk", "oauth"):  # the others' names are not in the path alone
            if len(self._places) > _MEMORY:
                self._places.clear()
            if "_HttpMethod" not in environ.get("QUERY_STRING", ""):
                self._places[key] = (count, histogram)
        return count, histogram

    def _remarkable(self, exchange: Exchange, code: int) -> None:
        """What most requests are not: a refusal, a login, a fault."""
        surface = surface_of(exchange.environ)
        headers = {name.lower(): value for name, value in exchange.response_headers}
        if code >= 400:
            self._refused(exchange, code, surface, headers)
        if FAULT in exchange.notes:
            self._add(_FAULTS)
        if surface in ("oauth", "soap") and _opened(exchange, code, surface, headers):
            self._add(f'{_SESSIONS}{{surface="{surface}"}}')

    def _refused(
        self, exchange: Exchange, code: int, surface: str, headers: dict[str, str]
    ) -> None:
        body = exchange.response.data if exchange.response is not None else b""
        kind = headers.get("content-type", "")
        found = error_code(code, headers.get("location", ""), kind, body) or _OTHER
        known: trace.Trace | None = exchange.environ.get(trace.KEY)
        step = known.step if known is not None else None
        rule = step.rule if step is not None and not step.passed else ""
        if found not in self._codes:
            if len(self._codes) >= _CODES or not found.replace("_", "").isalnum():
                found = _OTHER
            self._codes.add(found)
        labels = f'surface="{surface}",code="{found}",rule="{rule}"'
        self._add(f"{_REFUSALS}{{{labels}}}")

    def _add(self, sample: str) -> None:
        counted = self._cells
        with counted.lock:
            counted.values[counted.index(sample)] += 1

    # -- reading -----------------------------------------------------------------------------

    def read(self) -> tuple[dict[str, float], list[int]]:
        """Every sample, added up over the processes, and the processes that live."""
        if self._folder is None:
            with self._cells.lock:
                return dict(self._cells.read()), [os.getpid()]
        total: dict[str, float] = {}
        alive = []
        for path in sorted(self._folder.iterdir()):
            pid = int(path.name.partition("-")[0])
            lives = cells.lives(pid)
            if lives:
                alive.append(pid)
            for name, value in cells.read(path):
                if lives or name != _IN_FLIGHT:  # what died is not handling requests
                    total[name] = total.get(name, 0.0) + value
        return total, alive


def names_of(environ: WSGIEnvironment, code: int) -> tuple[str, str]:
    """Surface and operation of a request that was answered, of a bounded number."""
    surface = surface_of(environ)
    if surface in ("soap", "metadata"):
        operation = operation_of(environ, head_of(environ) if _was_read(environ) else b"")
        return surface, operation if operation in SOAP_OPERATIONS else _OTHER
    operation = operation_of(environ)
    made_up = surface in ("setup", "visualforce", "control") and code not in range(200, 300)
    return surface, _OTHER if operation == UNKNOWN or made_up else operation


def _was_read(environ: WSGIEnvironment) -> bool:
    return "simorg.body_head" in environ


def _opened(exchange: Exchange, code: int, surface: str, headers: dict[str, str]) -> bool:
    """Whether the answer carries a new session id or access token."""
    environ = exchange.environ
    if surface == "soap":
        return code == 200 and names_of(environ, code)[1] == "login"
    if code == 200:
        return operation_of(environ) == "token"
    cookie = headers.get("set-cookie", "")
    return "access_token=" in headers.get("location", "") or cookie.startswith("sid=00D")


# -- the text ------------------------------------------------------------------------------------

_FAMILIES = {
    _REQUESTS: ("counter", "Requests answered, by surface, operation and class of status."),
    _SECONDS: ("histogram", "Time to the last byte of the answer, by surface."),
    _REFUSALS: ("counter", "Answers of 400 and above, by error code and the rule that refused."),
    _SESSIONS: ("counter", "Session ids and access tokens given out."),
    _FAULTS: ("counter", "Requests that a fault was applied to."),
    _IN_FLIGHT: ("gauge", "Requests under way, this one included."),
    "simorg_orgs": ("gauge", "Orgs of the server."),
    "simorg_processes": ("gauge", "Processes that answer requests."),
    "simorg_build_info": ("gauge", "The version that runs."),
    "process_start_time_seconds": ("gauge", "When the oldest process began, seconds since 1970."),
    "process_resident_memory_bytes": ("gauge", "Memory of all processes together."),
    "process_cpu_seconds_total": ("counter", "Processor time of all processes that live."),
    "process_open_fds": ("gauge", "Open file descriptors of all processes."),
}


def exposition(samples: dict[str, float]) -> str:
    """The text format, version 0.0.4."""
    by_family: dict[str, list[tuple[str, float]]] = {name: [] for name in _FAMILIES}
    for sample, value in samples.items():
        name = sample.partition("{")[0]
        family = name if name in by_family else name.rpartition("_")[0]
        by_family.setdefault(family, []).append((sample, value))
    lines = []
    for family, (kind, help_text) in _FAMILIES.items():
        lines += [f"# HELP {family} {help_text}", f"# TYPE {family} {kind}"]
        found = by_family[family]
        told = _histogram(found) if kind == "histogram" else found
        lines += [f"{sample} {_number(value)}" for sample, value in told]
    return "\n".join(lines) + "\n"


def _histogram(samples: Iterable[tuple[str, float]]) -> Iterator[tuple[str, float]]:
    """Buckets hold what is below their bound, so each includes those before it."""
    sums: dict[str, float] = {}
    buckets: dict[str, dict[str, float]] = {}
    for sample, value in samples:
        labels = sample.partition("{")[2].rstrip("}")
        surface, _, bound = labels.partition(",le=")
        if bound:
            buckets.setdefault(surface, {})[bound.strip('"')] = value
        else:
            sums[surface] = value
    for surface, total in sorted(sums.items()):
        below = 0.0
        for bound in (*map(str, BUCKETS), "+Inf"):
            below += buckets[surface].get(bound, 0.0)
            yield f'{_SECONDS}_bucket{{{surface},le="{bound}"}}', below
        yield f"{_SECONDS}_sum{{{surface}}}", total
        yield f"{_SECONDS}_count{{{surface}}}", below


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def process_samples(pids: Iterable[int]) -> dict[str, float]:
    """Memory, processor time and files of processes; what the system does not tell is left out."""
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    memory = files = 0
    processor, began = 0.0, []
    for pid in pids:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            files += len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            continue
        processor += (int(stat[11]) + int(stat[12])) / ticks
        began.append(int(stat[19]) / ticks)
        memory += int(stat[21]) * page
    if not began:
        return {}
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return {
        "process_start_time_seconds": round(booted + min(began), 2),
        "process_resident_memory_bytes": float(memory),
        "process_cpu_seconds_total": processor,
        "process_open_fds": float(files),
    }
