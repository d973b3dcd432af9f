from base64 import b64encode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from support.signed import ED25519, ED25519_PEM, RSA, RSA_PEM, SHORT, TINY_PEM

from digest.errors import BadInput, ConfigurationError
from digest.outbox.dkim_keys import new_key, read_key, read_public, record, record_name, strings


def repacked(pem: bytes, form: PrivateFormat, lock: bytes = b"") -> bytes:
    encryption = BestAvailableEncryption(lock) if lock else NoEncryption()
    return load_pem_private_key(pem, None).private_bytes(Encoding.PEM, form, encryption)


@pytest.mark.parametrize(("algorithm", "bits"), [("rsa", 2048), ("ed25519", 256)])
def test_a_fresh_key_can_be_read_and_is_no_other(algorithm, bits: int) -> None:
    pem, other = new_key(algorithm), new_key(algorithm)
    key = read_key(pem, "one")
    assert (key.selector, key.algorithm, key.bits) == ("one", algorithm, bits)
    assert key.public != read_key(other, "one").public


def test_keys_of_other_programs_can_be_read() -> None:
    assert read_key(repacked(RSA_PEM, PrivateFormat.TraditionalOpenSSL), "rsa1") == RSA


def test_the_record_is_that_of_the_standard() -> None:
    # RFC 8463, appendix A.2.
    assert record(ED25519) == "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    assert record(RSA).startswith("v=DKIM1; k=rsa; p=MII")
    assert record_name(RSA, "example.org") == "rsa1._domainkey.example.org"


def test_a_long_record_is_cut_into_strings_that_a_record_may_have() -> None:
    parts = strings(record(RSA))
    assert "".join(parts) == record(RSA)
    assert [len(part) <= 255 for part in parts] == [True, True]


@pytest.mark.parametrize("key", [RSA, SHORT, ED25519], ids=lambda key: key.selector)
def test_what_is_published_reads_as_what_was_meant(key) -> None:
    assert read_public(key.algorithm, key.public) == (key.bits, key.public)


def test_a_bare_rsa_key_is_the_same_key() -> None:
    public = load_pem_private_key(RSA_PEM, None).public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    assert read_public("rsa", b64encode(public).decode()) == (2048, RSA.public)


def of_another_kind() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: b"", "no private key"),
        (lambda: b"canary", "no private key"),
        (lambda: RSA_PEM[:200], "no private key"),
        (lambda: repacked(ED25519_PEM, PrivateFormat.PKCS8, b"word"), "locked"),
        (of_another_kind, "only RSA and Ed25519"),
        (lambda: TINY_PEM, "768 bits"),
    ],
)
def test_what_cannot_sign_is_refused_with_its_reason(make: Callable[[], bytes], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        read_key(make(), "one")
    assert refused.value.fix
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("published", ["", "x", "AAAA", ED25519.public, SHORT.public[:-8]])
def test_what_is_no_key_is_not_taken_for_one(published: str) -> None:
    with pytest.raises(BadInput, match="k=rsa"):
        read_public("rsa", published)
    if published != ED25519.public:
        with pytest.raises(BadInput, match="k=ed25519"):
            read_public("ed25519", published)
