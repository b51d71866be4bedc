"""OAuth 2.0: one module per flow, plus the identity and token endpoints."""
