"""Random identifiers and purpose-bound signatures.

A signing key is never used itself: each purpose has a subkey of its own (HMAC as a one-block HKDF, RFC 5869 2.3), so that a
signature made for one thing proves nothing about another.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from functools import lru_cache

MIN_KEY_LENGTH = 32
TOKEN_BYTES = 16
TOKEN = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
"""What a random token and a signature look like."""


def random_token() -> str:
    """128 random bits as 22 URL-safe characters: short enough that a URL in a header stays under 78 (RFC 5322 2.1.1)."""
    return _base64url(secrets.token_bytes(TOKEN_BYTES))


def fingerprint(token: str) -> str:
    """What may be stored of a token that must not be readable from the database."""
    return hashlib.sha256(token.encode()).hexdigest()


def key_name(key: str) -> str:
    """What a signing key is called where people read it: eight hexadecimal digits from which it cannot be found out."""
    return hmac.digest(_subkey(key.encode(), "name"), b"", "sha256").hex()[:8]


class Signer:
    """Signs with the newest key and verifies with all of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys or any(len(key) < MIN_KEY_LENGTH for key in keys):
            raise ValueError(f"a signing key needs {MIN_KEY_LENGTH} characters or more")
        self._keys = tuple(key.encode() for key in keys)
        self._begun = lru_cache(maxsize=64)(_begun)

    def sign(self, purpose: str, text: str) -> str:
        """The 128-bit signature of `text` for `purpose`, as 22 URL-safe characters."""
        return self._mac(self._keys[0], purpose, text)

    def verify(self, purpose: str, text: str, signature: str) -> bool:
        """Whether `signature` was made for this purpose and text by any of our keys; in constant time for each."""
        given = signature.encode()
        return any([hmac.compare_digest(self._mac(key, purpose, text).encode(), given) for key in self._keys])

    def _mac(self, key: bytes, purpose: str, text: str) -> str:
        # A copy of what was begun: `hmac.digest` lets go of the interpreter's lock each time, and while another thread ranks it
        # comes back milliseconds later.
        mac = self._begun(key, purpose).copy()
        mac.update(text.encode())
        return _base64url(mac.digest()[:TOKEN_BYTES])


def _begun(key: bytes, purpose: str) -> hmac.HMAC:
    return hmac.new(_subkey(key, purpose), None, "sha256")


def _subkey(key: bytes, purpose: str) -> bytes:
    return hmac.digest(key, b"digest/v1/" + purpose.encode() + b"\x01", "sha256")


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
