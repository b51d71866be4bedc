"""The URL of a PostgreSQL database, as libpq gets it."""

from __future__ import annotations

import pytest

from simorg.org.store.postgres import split_url


@pytest.mark.parametrize(
    ("url", "plain", "schema"),
    [
        ("postgresql://u@h:5/x?schema=s", "postgresql://u@h:5/x", "s"),
        ("postgresql://h/x?sslmode=require&schema=s", "postgresql://h/x?sslmode=require", "s"),
        ("postgresql:///x", "postgresql:///x", None),
        ("postgres:///x?host=/run&schema=s", "postgres:///x?host=%2Frun", "s"),
    ],
)
def test_the_schema_is_ours_and_the_rest_is_libpqs(
    url: str, plain: str, schema: str | None
) -> None:
    assert split_url(url) == (plain, schema)
