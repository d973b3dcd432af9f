"""Keys for DKIM, and the record that tells receivers their public half: made, read and compared."""

import hashlib
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from digest.errors import BadInput, ConfigurationError
from digest.outbox.dkim import Algorithm, Key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

MIN_BITS = 1024
"""Receivers must not accept shorter RSA keys (RFC 8301 3.2)."""
GOOD_BITS = 2048
_MAKE_ONE = "make one: digest dkim keygen"


def new_key(algorithm: Algorithm) -> bytes:
    """A fresh private key as PEM (PKCS 8), RSA of 2,048 bits or Ed25519. The one thing here that is random."""
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    made = rsa.generate_private_key(65537, GOOD_BITS) if algorithm == "rsa" else ed25519.Ed25519PrivateKey.generate()
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read_key(pem: bytes, selector: str) -> Key:
    """A private key from PEM, ready to sign.

    Raises:
        ConfigurationError: it is none, or one that mails cannot be signed with. The text is not quoted.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

    try:
        private = serialization.load_pem_private_key(pem, None)
    except TypeError:
        raise ConfigurationError("the key is locked by a password", fix="store it without, for you alone") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError("this is no private key in PEM", fix=_MAKE_ONE) from None
    if isinstance(private, ed25519.Ed25519PrivateKey):
        public = b64encode(private.public_key().public_bytes_raw()).decode()
        # Not the data but its SHA-256 is signed (RFC 8463 3).
        return Key(selector, "ed25519", 256, public, lambda data: private.sign(hashlib.sha256(data).digest()))
    if not isinstance(private, rsa.RSAPrivateKey):
        raise ConfigurationError("only RSA and Ed25519 keys sign mails, and this is another", fix=_MAKE_ONE)
    if private.key_size < MIN_BITS:
        raise ConfigurationError(
            f"the key has {private.key_size} bits, and receivers refuse RSA below {MIN_BITS}", fix=_MAKE_ONE
        )
    scheme, digest = padding.PKCS1v15(), hashes.SHA256()
    public = _written(private.public_key())
    return Key(selector, "rsa", private.key_size, public, lambda data: private.sign(data, scheme, digest))


def record_name(key: Key, domain: str) -> str:
    """Where receivers look for the public half (RFC 6376 3.6.2.1)."""
    return f"{key.selector}._domainkey.{domain}"


def record(key: Key) -> str:
    """What is to be published at `record_name` (RFC 6376 3.6.1)."""
    return f"v=DKIM1; k={key.algorithm}; p={key.public}"


def strings(text: str) -> list[str]:
    """A text as the strings of a TXT record, which have 255 bytes at most (RFC 1035 3.3.14)."""
    return [text[start : start + 255] for start in range(0, len(text), 255)]


def read_public(algorithm: Algorithm, published: str) -> tuple[int, str]:
    """How many bits the key in p= of a record has, and how `record` would write it: of RSA some publish the bare key (RFC 6376
    3.6.1), most a SubjectPublicKeyInfo.

    Raises:
        BadInput: it is no such key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        content = b64decode(published, validate=True)
        if algorithm == "ed25519":
            return 256, b64encode(Ed25519PublicKey.from_public_bytes(content).public_bytes_raw()).decode()
        public = load_der_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        public = None
    if not isinstance(public, RSAPublicKey):
        raise BadInput(f"p= holds no key of k={algorithm}")
    return public.key_size, _written(public)


def _written(public: "RSAPublicKey") -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
