"""The metrics as Prometheus reads them: format, what is counted, labels of few values."""

from __future__ import annotations

import re
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import simorg.testing
from simorg.testing import CallRefused, LoginRefused, Org, Simorg
from simorg.traffic import metrics
from simorg.traffic.exchange import FAULT, Exchange
from simorg.traffic.metrics import Metrics
from tests.conftest import POSTGRES
from tests.servers import org as org
from tests.servers import server_fixture

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_]\w*)="([^"\\]*)"(?:,|$)')


def parse(text: str) -> Samples:
    """The exposition format, read as strictly as Prometheus does."""
    assert text.endswith("\n")
    found: Samples = {}
    family, kinds = "", {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split(" ")[2]
            assert family not in kinds
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == family and kind in ("counter", "gauge", "histogram")
            kinds[name] = kind
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample is not None, line
        name, labels, value = sample.groups()
        ends = ("_bucket", "_sum", "_count") if kinds[family] == "histogram" else ("",)
        assert name in [family + end for end in ends], line
        pairs = LABEL.findall(labels or "")
        assert ",".join(f'{k}="{v}"' for k, v in pairs) == (labels or "")
        key = (name, frozenset(pairs))
        assert key not in found
        found[key] = float(value)
    return found


def scrape(server: Simorg) -> Samples:
    with urllib.request.urlopen(f"{server.url}/_simorg/metrics", timeout=60) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return parse(answer.read().decode())


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, frozenset(labels.items())), 0.0)


server = server_fixture("module")


def test_requests_refusals_sessions_and_time(server: Simorg, org: Org) -> None:
    before = scrape(server)
    session = org.login("integration", app="Approved Integration")
    soap = org.login("integration")
    record = session.post("sobjects/Account", {"Name": "counted"})["id"]
    for _ in range(3):
        session.get(f"sobjects/Account/{record}")
    with pytest.raises(CallRefused):
        soap.get("sobjects/Nothing__c")
    with pytest.raises(LoginRefused):
        org.login("integration", password="wrong")
    after = scrape(server)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    def requests(surface: str, operation: str, status: str) -> float:
        labels = {"surface": surface, "operation": operation, "status": status}
        return grown("simorg_requests_total", **labels)

    assert requests("rest", "sobject.create", "2xx") == 1
    assert requests("rest", "sobject.read", "2xx") == 3
    assert requests("rest", "sobject.basics", "4xx") == 1
    assert requests("oauth", "token", "2xx") == 1
    assert requests("soap", "login", "2xx") == 1
    assert requests("soap", "login", "5xx") == 1
    assert grown("simorg_sessions_opened_total", surface="oauth") == 1
    assert grown("simorg_sessions_opened_total", surface="soap") == 1
    refused = "simorg_refusals_total"
    assert grown(refused, surface="rest", code="NOT_FOUND", rule="") == 1
    assert grown(refused, surface="soap", code="INVALID_LOGIN", rule="") == 1
    for surface, count in (("rest", 5), ("oauth", 1), ("soap", 2)):
        assert grown("simorg_request_duration_seconds_count", surface=surface) == count
        assert 0 < grown("simorg_request_duration_seconds_sum", surface=surface) < 10
    assert value(after, "simorg_requests_in_flight") == 1  # the scrape
    assert value(after, "simorg_orgs") >= 2
    assert value(after, "simorg_processes") == 1
    assert value(after, "process_resident_memory_bytes") > 10_000_000
    assert value(after, "process_start_time_seconds") > 1_600_000_000


def test_the_rule_that_refused(server: Simorg, org: Org) -> None:
    session = org.login("integration")
    org.api_access_control.provisioned = True
    org.api_access_control.enable()
    with pytest.raises(CallRefused):
        session.get("limits")
    found = [dict(labels) for name, labels in scrape(server) if name == "simorg_refusals_total"]
    assert any(labels["surface"] == "rest" and labels["rule"] for labels in found), found


def test_buckets_grow_and_end_in_all(server: Simorg, org: Org) -> None:
    org.login("integration").get("limits")
    samples = scrape(server)
    buckets = {
        float(dict(labels)["le"]): count
        for (name, labels), count in samples.items()
        if name == "simorg_request_duration_seconds_bucket" and ("surface", "rest") in labels
    }
    counts = [buckets[bound] for bound in sorted(buckets)]
    assert list(sorted(buckets))[:-1] == list(metrics.BUCKETS)
    assert counts == sorted(counts)
    total = value(samples, "simorg_request_duration_seconds_count", surface="rest")
    assert counts[-1] == total > 0


def make_up(server: Simorg, number: int) -> None:
    """Requests of which nothing is known, each refused."""
    for path in (
        f"services/data/v60.0/made{number}",
        f"services/data/v60.0/sobjects/Account/{number:018d}",
        f"_simorg/made{number}",
        f"made/up/{number}",
        f"lightning/setup/Made{number}/home",
        f"services/oauth2/made{number}",
        f"services/Soap/u/60.0?n={number}",
    ):
        data = None
        if "Soap" in path:
            data = f"<e:Envelope><e:Body><made{number}/></e:Body></e:Envelope>".encode()
        try:
            urllib.request.urlopen(f"{server.url}/{path}", data, timeout=60).close()
        except urllib.error.HTTPError as refused:
            refused.close()


def test_what_clients_make_up_has_no_label(server: Simorg) -> None:
    make_up(server, 0)
    before = set(scrape(server))
    for number in range(1, 6):
        make_up(server, number)
    assert set(scrape(server)) == before
    assert not any("made" in str(key).lower() for key in before)


def test_only_who_may_use_the_control_api_may_scrape() -> None:
    with simorg.testing.start(database=POSTGRES, control_token="t0ken") as running:
        url = f"{running.url}/_simorg/metrics"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url, timeout=60)
        assert refused.value.code == 401
        refused.value.close()
        request = urllib.request.Request(url, headers={"Authorization": "Bearer t0ken"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert parse(answer.read().decode())


# -- several processes ---------------------------------------------------------------------------


def exchange(path: str, code: int = 200, **environ: Any) -> Exchange:
    made = Exchange({"PATH_INFO": path, "REQUEST_METHOD": "GET", "QUERY_STRING": "", **environ})
    made.status, made.seconds = f"{code} x", 0.003
    return made


def test_processes_add_up(tmp_path: Path) -> None:
    one, two = Metrics(tmp_path), Metrics(tmp_path)
    for each, times in ((one, 3), (two, 4)):
        for _ in range(times):
            passed = exchange("/services/data/v60.0/limits")
            each.begins(passed)
            each.ended(passed)
    waiting = exchange("/services/data/v60.0/limits")
    two.begins(waiting)
    waiting.notes[FAULT] = "late"
    for each in (one, two):
        samples, alive = each.read()
        found = parse(metrics.exposition(samples))
        labels = {"surface": "rest", "operation": "limits", "status": "2xx"}
        assert value(found, "simorg_requests_total", **labels) == 7
        assert value(found, "simorg_request_duration_seconds_count", surface="rest") == 7
        assert value(found, "simorg_requests_in_flight") == 1
        assert set(alive) == set(alive) and len(alive) == 2
    two.ended(waiting)
    assert value(parse(metrics.exposition(one.read()[0])), "simorg_faults_total") == 1


def test_a_process_that_died_keeps_its_counts_only(tmp_path: Path) -> None:
    dead = Metrics(tmp_path)
    passed = exchange("/services/data/v60.0/limits")
    dead.begins(passed)
    dead.ended(passed)
    dead.begins(exchange("/services/data/v60.0/limits"))
    (file,) = tmp_path.iterdir()
    file.rename(tmp_path / "4194999-1")  # beyond the largest process id there can be
    samples, alive = Metrics(tmp_path).read()
    found = parse(metrics.exposition(samples))
    assert value(found, "simorg_requests_in_flight") == 0
    assert value(found, "simorg_request_duration_seconds_count", surface="rest") == 1
    assert len(alive) == 1


def test_counting_from_many_threads_loses_nothing() -> None:
    counted = Metrics()

    def work() -> None:
        for number in range(500):
            passed = exchange(f"/services/data/v60.0/sobjects/Account/{number:018d}")
            counted.begins(passed)
            counted.ended(passed)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = parse(metrics.exposition(counted.read()[0]))
    labels = {"surface": "rest", "operation": "sobject.read", "status": "2xx"}
    assert value(found, "simorg_requests_total", **labels) == 2000
    assert value(found, "simorg_requests_in_flight") == 0


def test_more_names_than_there_is_room_for() -> None:
    counted = Metrics()
    for number in range(6000):
        counted._add(f'simorg_refusals_total{{code="{number}"}}')
    counted._add('simorg_refusals_total{code="0"}')
    samples, _ = counted.read()
    assert samples['simorg_refusals_total{code="0"}'] == 2
    assert len(samples) < 4096
