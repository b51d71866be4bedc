"""The table of contents of the REST API: every resource and its verbs.

Paths are below ``/services/data/vXX.X``; what is not here is 404 ``NOT_FOUND``.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_list.htm
"""

from __future__ import annotations

from simorg.access.questions import PASSWORD_CHANGE
from simorg.rest import (
    actions,
    batch,
    collections,
    composite,
    describe,
    external,
    limits,
    passwords,
    query,
    recent,
    record,
    replication,
    resources,
    search,
    sobjects,
    tree,
)
from simorg.rest.router import Router, route

ROUTER = Router(
    (
        route("", GET=resources.show),
        route("limits", GET=limits.show),
        route("limits/recordCount", since=40, GET=limits.record_count),
        route("query", GET=query.query),
        route("query/{locator}", GET=query.query_more),
        route("queryAll", GET=query.query_all),
        route("queryAll/{locator}", GET=query.query_more),
        route("search", GET=search.search),
        route(
            "parameterizedSearch",
            GET=search.parameterized_get,
            POST=search.parameterized_post,
        ),
        route("recent", GET=recent.show),
        route("sobjects", GET=sobjects.list_all),
        route(
            "sobjects/User/{id}/password",
            surface=PASSWORD_CHANGE,
            GET=passwords.expired,
            POST=passwords.set_password,
            DELETE=passwords.reset,
        ),
        route("sobjects/{type}", GET=sobjects.basics, POST=record.create),
        route("sobjects/{type}/describe", GET=describe.describe),
        route("sobjects/{type}/updated", GET=replication.updated),
        route("sobjects/{type}/deleted", GET=replication.deleted),
        route("sobjects/{type}/Id", since=37, POST=record.create),
        route(
            "sobjects/{type}/{id}",
            GET=record.retrieve,
            PATCH=record.update,
            DELETE=record.delete,
        ),
        route(
            "sobjects/{type}/{id}/{part}",
            opaque=True,
            GET=external.retrieve,
            PATCH=external.upsert,
            DELETE=external.delete,
        ),
        route("actions", since=32, GET=actions.kinds),
        route("actions/standard", since=32, GET=actions.standard),
        route("actions/standard/emailSimple", since=32, GET=actions.describe, POST=actions.invoke),
        route("composite", since=38, GET=composite.resources, POST=composite.run),
        route("composite/batch", since=34, POST=batch.run),
        route("composite/tree/{type}", since=34, POST=tree.create),
        route(
            "composite/sobjects",
            since=42,
            POST=collections.create,
            PATCH=collections.update,
            DELETE=collections.delete,
        ),
        route(
            "composite/sobjects/{type}",
            since=42,
            GET=collections.retrieve_get,
            POST=collections.retrieve_post,
        ),
        route("composite/sobjects/{type}/{field}", since=42, PATCH=collections.upsert),
    )
)
