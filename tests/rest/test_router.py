"""Paths to resources."""

from __future__ import annotations

import pytest

from simorg.rest.call import Call, Reply
from simorg.rest.dispatch import Dispatcher
from simorg.rest.router import Router, route
from simorg.rest.versions import NEWEST, OLDEST_SERVED, label, listing, parse


def handler(call: Call) -> Reply:
    return Reply()


ROUTES = (
    route("", GET=handler),
    route("things", GET=handler, POST=handler),
    route("things/{type}", GET=handler),
    route("things/{type}/describe", GET=handler),
    route("things/{type}/{id}", GET=handler, PATCH=handler, DELETE=handler),
    route("things/{type}/{id}/{part}", opaque=True, GET=handler),
)


def test_literal_before_variable() -> None:
    router = Router(ROUTES)
    found = router.find(["things", "A", "describe"])
    assert found is not None and found[0].path == "things/{type}/describe"
    assert found[1] == {"type": "A"}
    found = router.find(["things", "describe", "x"])
    assert found is not None and found[1] == {"type": "describe", "id": "x"}
    assert router.find(["nothing"]) is None
    assert router.find(["things", "a", "b", "c", "d"]) is None


def test_two_resources_of_one_path_are_a_mistake() -> None:
    with pytest.raises(ValueError):
        Router((route("a/{x}", GET=handler), route("a/{y}", GET=handler)))


def test_endings_choose_the_format_except_on_data() -> None:
    dispatcher = Dispatcher(Router(ROUTES))
    matched = dispatcher.match(["things", "A", "describe.xml"])
    assert matched.xml is True and matched.route is not None
    assert matched.route.path.endswith("describe")
    assert dispatcher.match(["things", "A", "1.json"]).params == {"type": "A", "id": "1"}
    matched = dispatcher.match(["things", "A", "Ext__c", "file.xml"])
    assert matched.xml is None and matched.params["part"] == "file.xml"
    assert dispatcher.match(["nope.xml"]).xml is True


def test_allowed_lists_head_with_get() -> None:
    assert ROUTES[4].allowed == ["HEAD", "GET", "PATCH", "DELETE"]


def test_versions() -> None:
    listed = listing()
    assert listed[0] == {
        "label": "Summer '14",
        "url": "/services/data/v31.0",
        "version": "31.0",
    }
    assert listed[-1]["label"] == "Summer '26" and len(listed) == NEWEST - OLDEST_SERVED + 1
    assert label(20) == "Winter '11" and label(58) == "Summer '23" and label(65) == "Winter '26"
    assert parse("v67.0") == 67
    for text in ("v67", "67.0", "v68.0", "v19.0", "v031.0", "V67.0", "v67.00", "v٦٧.0", ""):
        with pytest.raises(Exception, match="does not exist"):
            parse(text)
