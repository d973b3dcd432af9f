"""What the DNS says of a sender, judged: his DKIM key (RFC 6376 3.6), and whether there are records of SPF and DMARC."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from digest.errors import BadInput
from digest.outbox.dkim import Key
from digest.outbox.dkim_keys import GOOD_BITS, MIN_BITS, read_public

Grade = Literal["ok", "warn", "fail"]

_PUBLISH = "publish what `digest dkim dns` prints"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a record is worth, in words, and what to do about it."""

    grade: Grade
    what: str
    fix: str = ""


def judge_dkim(key: Key, records: Sequence[str]) -> Judgement:
    """Whether receivers can check what this key signs by the TXT records under its selector."""
    if not records:
        return Judgement("fail", "not published", _PUBLISH)
    if len(records) > 1:
        # Which of them counts is undefined (RFC 6376 3.6.2.2).
        return Judgement("fail", f"{len(records)} TXT records where there may be one", f"remove all, then {_PUBLISH}")
    tags = _tags(records[0])
    if tags is None or tags.get("v", "DKIM1") != "DKIM1" or "p" not in tags:
        return Judgement("fail", f"no DKIM record: {records[0][:60]!r}", f"remove it, then {_PUBLISH}")
    if not tags["p"]:
        return Judgement("fail", "revoked: p= is empty", "a revoked key stays so: digest dkim keygen --selector OTHER")
    if (algorithm := tags.get("k", "rsa")) != key.algorithm:
        return Judgement("fail", f"published as k={algorithm[:20]}, and the key is k={key.algorithm}", _PUBLISH)
    if not _allows(tags, "h", "sha256") or not _allows(tags, "s", "email"):
        return Judgement("fail", "the tags h= or s= of the record forbid what we do with it", _PUBLISH)
    return _judge_key(key, tags)


def judge_spf(records: Sequence[str]) -> Judgement:
    """Whether the domain of the envelope's sender has a record of SPF (RFC 7208); not whether it names the relay."""
    found = [text for text in records if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]
    if not found:
        return Judgement("warn", "no SPF record", 'publish a TXT record "v=spf1 …" that names the relay: its provider has it')
    if len(found) > 1:
        return Judgement("warn", f"{len(found)} SPF records, so none counts (RFC 7208 4.5)", "make one of them")
    return Judgement("ok", found[0][:100])


def policy_places(domain: str) -> list[str]:
    """Where the DMARC record of a domain may stand: there, or at a domain above it (RFC 7489 6.6.3; the nearest one counts)."""
    labels = domain.split(".")
    return [f"_dmarc.{'.'.join(labels[above:])}" for above in range(max(1, len(labels) - 1))]


def judge_dmarc(records: Sequence[str]) -> Judgement:
    """Whether these TXT records, of `_dmarc` before a domain, hold one of DMARC (RFC 7489 6.6.3)."""
    found = [text for text in records if (_tags(text) or {}).get("v") == "DMARC1" and text.startswith("v")]
    if len(found) != 1:
        what = f"{len(found)} DMARC records, so none counts" if found else "no DMARC record"
        return Judgement("warn", what, 'publish a TXT record at _dmarc, such as "v=DMARC1; p=none; rua=mailto:you@example.org"')
    return Judgement("ok", found[0][:100])


def _judge_key(key: Key, tags: dict[str, str]) -> Judgement:
    try:
        bits, published = read_public(key.algorithm, tags["p"])
    except BadInput as error:
        return Judgement("fail", str(error), f"{_PUBLISH}, whole")
    if bits < MIN_BITS and key.algorithm == "rsa":
        return Judgement("fail", f"the published key has {bits} bits; receivers ignore it below {MIN_BITS}", _PUBLISH)
    if published != key.public:
        return Judgement("fail", "another key is published than the one that signs", f"{_PUBLISH}, or set the key that fits it")
    if "y" in _list(tags.get("t", "")):
        return Judgement("warn", "published as a test (t=y): receivers may act as if nothing were signed", "remove t=y")
    if bits < GOOD_BITS and key.algorithm == "rsa":
        return Judgement("warn", f"published, with {bits} bits only", "make a longer one: digest dkim keygen --selector OTHER")
    return Judgement("ok", "published, and the key that signs")


def _tags(text: str) -> dict[str, str] | None:
    """A list of tags (RFC 6376 3.2), blanks taken out; None where it is none."""
    tags: dict[str, str] = {}
    for part in text.rstrip("; \t").split(";"):
        name, is_set, value = ("".join(word.split()) for word in part.partition("="))
        if not is_set or not name or name in tags:
            return None
        tags[name] = value
    return tags


def _list(value: str) -> list[str]:
    return value.split(":")


def _allows(tags: dict[str, str], name: str, wanted: str) -> bool:
    return name not in tags or not {wanted, "*"}.isdisjoint(_list(tags[name]))
