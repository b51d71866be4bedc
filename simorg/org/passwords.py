"""Password hashes: salted BLAKE2b.

A test double's choice: a slow hash would cost a second for every org that a test makes, and what
it protects here is ``simorg123``. Never use it for real passwords.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

_SCHEME = "blake2b"


def hash_password(password: str, salt: str | None = None) -> str:
    """``blake2b$salt$digest`` of a password."""
    salt = salt if salt is not None else secrets.token_hex(8)
    digest = hashlib.blake2b(
        password.encode("utf-8", "surrogatepass"), salt=bytes.fromhex(salt), digest_size=32
    )
    return f"{_SCHEME}${salt}${digest.hexdigest()}"


def verify_password(stored: str | None, password: str) -> bool:
    """Whether it is the password of that hash, compared in constant time."""
    scheme, _, rest = (stored or "").partition("$")
    salt, _, digest = rest.partition("$")
    if scheme != _SCHEME or not digest:
        return False
    return hmac.compare_digest(hash_password(password, salt), stored or "")
