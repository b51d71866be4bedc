"""Passwords of simulated users: salted and compared in constant time, cheap on purpose.

A real service would use a slow hash (scrypt, Argon2). Here every new org would pay for it per
user and every test per login, and the passwords are printed in a definition file anyway.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets


def hash_password(password: str, salt: bytes | None = None) -> str:
    """``blake2b$salt$digest`` in hex."""
    salt = secrets.token_bytes(16) if salt is None else salt
    sent = password.encode(errors="surrogatepass")  # JSON can hold half a surrogate pair
    digest = hashlib.blake2b(sent, key=salt, digest_size=32).hexdigest()
    return f"blake2b${salt.hex()}${digest}"


def verify_password(password: str, stored: str | None) -> bool:
    """Whether the password is the one that was hashed; False without a stored hash."""
    parts = (stored or "").split("$")
    if len(parts) != 3 or parts[0] != "blake2b":
        return False
    return hmac.compare_digest(hash_password(password, bytes.fromhex(parts[1])), stored or "")
