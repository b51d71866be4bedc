"""A definition read from a real org's REST API, with the user's own session. Only GET requests."""
