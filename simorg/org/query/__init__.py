"""SOQL and SOSL: text in, rows with a layout out."""

from simorg.org.query.soql import query, query_more

__all__ = ["query", "query_more"]
