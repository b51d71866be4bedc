"""``python -m benchmarks [--database URL] [--output FILE] [--quick]``."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

from benchmarks import orgs, pages, per_test, servers, workers
from benchmarks.report import Row, show, write
from simorg import access
from simorg.config import ServerConfig
from simorg.org.catalogue import OrgCatalogue
from simorg.server import compose


def measured(database: str | None, *, quick: bool) -> list[Row]:
    rows = [servers.record_requests(database), servers.first_answer(database)]
    if database is not None:
        rows.append(workers.two_against_one(database))
    elif (row := workers.on_a_server_of_its_own()) is not None:
        rows.append(row)
    config = ServerConfig(port=None, tls_port=None, proxy_port=None, database=database)
    catalogue = OrgCatalogue(config, access.behaviour())
    context = compose.context(catalogue, config, Path(), dict)
    app = compose.application(context)
    try:
        org = catalogue.create()
        pages.fill(org)
        rows += [pages.rest_page(app, org), pages.soap_page(app, org)]
        rows += [orgs.new_org(catalogue), orgs.reset(catalogue)]
        if database is None:
            rows += per_test.rows()
        if not quick:
            rows.append(orgs.indexed(catalogue))
    finally:
        catalogue.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--database", help="postgresql://... (default: SQLite)")
    parser.add_argument("--output", type=Path, default=Path("build/bench.json"))
    parser.add_argument("--quick", action="store_true", help="leave out the million records")
    told = parser.parse_args()
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    rows = measured(told.database, quick=told.quick)
    show(rows)
    write(rows, told.output)


if __name__ == "__main__":
    main()
