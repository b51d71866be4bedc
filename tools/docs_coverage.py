"""Tables of docs/coverage.md: what is served, read from the tables the server is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from tools.docs_tables import code, table


def rest_resources() -> str:
    from simorg.rest.routes import ROUTER

    rows = []
    for route in ROUTER.routes:
        modules = sorted({h.__module__.rpartition(".")[2] for h in route.handlers.values()})
        verbs = " ".join(verb for verb in route.allowed if verb != "HEAD")
        since = f"{route.since}.0" if route.since else ""
        path = code(route.path) or "(the version itself)"
        rows.append((path, verbs, since, " ".join(code(f"{m}.py") for m in modules)))
    return table(("resource below `/services/data/vXX.X/`", "verbs", "since", "module"), rows)


def soap_operations() -> str:
    from simorg.soap import metadata, partner

    rows = []
    for api, operations in (("Partner", partner.OPERATIONS), ("Metadata", metadata.OPERATIONS)):
        names = ", ".join(code(operation.name) for operation in operations)
        rows.append((api, len(operations), names))
    return table(("API", "operations", ""), rows)


def grants() -> str:
    from simorg.oauth.grants import GRANTS

    rows = []
    for grant in GRANTS:
        doc = (grant.__doc__ or "").strip().split("\n")[0]
        module = grant.__module__.rpartition(".")[2]
        rows.append((code(grant.GRANT_TYPE), doc.replace("``", "`"), code(f"{module}.py")))
    return table(("`grant_type`", "", "module"), rows)


def _rules(blueprint: Any) -> list[tuple[str, list[str]]]:
    from flask import Flask

    app = Flask("docs")
    app.register_blueprint(blueprint)
    return [
        (rule.rule, sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        for rule in app.url_map.iter_rules()
        if not rule.rule.startswith("/static")
    ]


def pages_and_endpoints() -> str:
    from simorg.oauth import views
    from simorg.visualforce import routes

    catalogue: Any = None  # views are bound to it, and none is called
    rows = []
    for surface, blueprint in (
        ("OAuth", views.make_blueprint(catalogue)),
        ("Visualforce", routes.make_blueprint(catalogue)),
    ):
        for path, methods in sorted(_rules(blueprint)):
            shown = ["any"] if len(methods) > 3 else methods
            path = path.replace("<path:", "<").replace("<", "{").replace(">", "}")
            rows.append((surface, code(path), " ".join(shown)))
    return table(("surface", "path", "verbs"), rows)


def objects() -> str:
    from simorg.org.schema.catalogue import load_standard

    catalogue = load_standard()
    counted: Counter[str] = Counter()
    for name in catalogue:
        head = catalogue.head(name)
        assert head is not None
        counted["objects in the catalogue"] += 1
        counted["... that can be queried"] += head.queryable
        counted["... that can be created"] += head.createable
        counted["... that can be updated"] += head.updateable
        counted["... that can be deleted"] += head.deletable
        counted["... that a search finds"] += head.searchable
        counted["fields in them"] += len(found.fields) if (found := catalogue.get(name)) else 0
    return table(("standard objects", ""), ((name, f"{n:,}") for name, n in counted.items()))


def object_rules() -> str:
    from simorg.access import behaviour

    rows = []
    for name, rules in behaviour().rules.items():
        doc = (type(rules).__doc__ or "").strip().split("\n\n")[0].replace("``", "`")
        if doc.startswith("https://"):
            doc = f"as in the [object reference]({doc})"
        rows.append((code(name), doc))
    return table(("object", "rules of its own"), rows)


def setup_pages() -> str:
    from simorg.setup_ui.pages import PAGES

    rows = ((p.section or "", p.label, code(p.path)) for p in PAGES)
    return table(("menu", "page", "address"), rows)


def switches() -> str:
    from simorg.access.sections import SECTIONS

    rows = []
    for section, kind in SECTIONS.items():
        names = kind.__struct_encode_fields__
        links = ", ".join(f"[`{name}`](settings.md#{f'{section}{name}'.lower()})" for name in names)
        rows.append((code(section), len(names), links))
    return table(("section", "", "switches"), rows)


def control_routes() -> str:
    from simorg.control.routes import ROUTES

    rows = ((r.method, code(r.path), r.summary) for r in ROUTES)
    return table(("", "path below `/_simorg`", ""), rows)


def commands() -> str:
    from click import Context

    from simorg.cli import main

    context = Context(main)
    rows = []
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        rows.append((code(f"simorg {name}"), command.get_short_help_str(120)))
    return table(("command", ""), rows)


TABLES: dict[str, Callable[[], str]] = {
    "rest-resources": rest_resources,
    "soap-operations": soap_operations,
    "grants": grants,
    "endpoints": pages_and_endpoints,
    "objects": objects,
    "object-rules": object_rules,
    "setup-pages": setup_pages,
    "switches": switches,
    "control-routes": control_routes,
    "commands": commands,
}
