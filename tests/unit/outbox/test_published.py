import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.signed import ED25519, RSA, SHORT

from digest.outbox.dkim_keys import record
from digest.outbox.published import judge_dkim, judge_dmarc, judge_spf, policy_places


@pytest.mark.parametrize("key", [RSA, ED25519], ids=lambda key: key.selector)
@pytest.mark.parametrize(
    "form",
    [
        "v=DKIM1; k={k}; p={p}",
        "v=DKIM1;k={k};p={p};",
        " v = DKIM1 ; k = {k} ; h=sha1:sha256; s=*; t=s; n=a note; p={p} ; ",
        "k={k}; s=email:other; h=sha256; p={p}",
    ],
)
def test_our_key_is_known_however_it_is_written(key, form: str) -> None:
    found = judge_dkim(key, [form.format(k=key.algorithm, p=key.public)])
    assert (found.grade, found.fix) == ("ok", "")


def test_rsa_is_what_is_meant_where_nothing_is_said_and_blanks_in_a_key_mean_nothing() -> None:
    assert judge_dkim(RSA, [f"p={RSA.public[:80]} {RSA.public[80:]}"]).grade == "ok"


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([], "not published"),
        ([record(RSA), record(RSA)], "2 TXT records"),
        (["google-site-verification=abc"], "no DKIM record"),
        (["v=DKIM2; p=" + RSA.public], "no DKIM record"),
        (["v=DKIM1; k=rsa"], "no DKIM record"),
        (["v=DKIM1\\; k=rsa\\; p=" + RSA.public], "no DKIM record"),
        (["v=DKIM1; p=x; p=y"], "no DKIM record"),
        (["v=DKIM1; p="], "revoked"),
        ([record(ED25519)], "k=ed25519"),
        (["v=DKIM1; h=sha1; p=" + RSA.public], "forbid"),
        (["v=DKIM1; s=tlsrpt; p=" + RSA.public], "forbid"),
        (["v=DKIM1; p=" + RSA.public[:255]], "holds no key"),
        (["v=DKIM1; p=%%%"], "holds no key"),
        ([record(SHORT)], "another key"),
    ],
)
def test_what_would_make_receivers_distrust_us_is_a_failure_with_a_way_out(records: list[str], words: str) -> None:
    found = judge_dkim(RSA, records)
    assert (found.grade, words in found.what) == ("fail", True), found
    assert found.fix


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [(RSA, "v=DKIM1; t=s:y; p=" + RSA.public, "t=y"), (SHORT, record(SHORT), "1024 bits")],
)
def test_what_works_badly_is_to_be_looked_at(key, text: str, words: str) -> None:
    found = judge_dkim(key, [text])
    assert (found.grade, words in found.what, bool(found.fix)) == ("warn", True, True)


@given(st.lists(st.text(max_size=60), max_size=2))
def test_anything_that_is_published_is_judged(records: list[str]) -> None:
    assert judge_dkim(RSA, records).grade == "fail"
    assert judge_spf(records).grade in ("ok", "warn")
    assert judge_dmarc(records).grade in ("ok", "warn")


@pytest.mark.parametrize(
    ("records", "grade"),
    [
        ([], "warn"),
        (["other"], "warn"),
        (["v=spf10 -all"], "warn"),
        (["v=spf1 -all", "v=spf1 ~all"], "warn"),
        (["other", "v=spf1 include:_spf.example.net -all"], "ok"),
    ],
)
def test_one_record_of_spf_is_right(records: list[str], grade: str) -> None:
    assert judge_spf(records).grade == grade


@pytest.mark.parametrize(
    ("records", "grade"),
    [
        ([], "warn"),
        (["p=none; v=DMARC1"], "warn"),
        (["v=DMARC1; p=none"] * 2, "warn"),
        (["v=DMARC1; p=none; rua=mailto:you@example.org", "other"], "ok"),
        (["v = DMARC1;p=reject"], "ok"),
    ],
)
def test_one_record_of_dmarc_is_right(records: list[str], grade: str) -> None:
    assert judge_dmarc(records).grade == grade


def test_a_policy_may_stand_at_a_domain_above() -> None:
    assert policy_places("a.example.org") == ["_dmarc.a.example.org", "_dmarc.example.org"]
    assert policy_places("example.org") == ["_dmarc.example.org"]
    assert policy_places("localhost") == ["_dmarc.localhost"]
