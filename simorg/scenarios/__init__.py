"""Scenarios: troubles of real orgs as files, and whether a client handles them.

``parse`` reads a file, ``run`` puts an org into its state, lets a client meet it and judges what
the client did by the journal. See docs/scenarios.md.
"""
