import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.smtp.replies import MAX_LINES, MAX_REPLY, BadReply, Reply, ReplyReader

WHOLE = [
    (b"250 2.0.0 queued as 4Xy\r\n", Reply(250, "2.0.0 queued as 4Xy")),
    (b"250-one\r\n250-two\r\n250 three\r\n", Reply(250, "one\ntwo\nthree")),
    (b"354 go\n", Reply(354, "go")),
    (b"550\r\n", Reply(550, "")),
    (b"550-\r\n550\r\n", Reply(550, "\n")),
    (b"250 \xff\xfe caf\xc3\xa9\r\n", Reply(250, "\ufffd\ufffd café")),
    (b"421 4.3.2 bye  \r\n", Reply(421, "4.3.2 bye")),
]
BAD = [
    b"what?\r\n",
    b"\r\n",
    b"25\r\n",
    b"250ok\r\n",
    b"250-a\r\n550 b\r\n",
    b"250-a\r\nb\r\n",
    b"150 a\r\n",
    b"600 a\r\n",
    b"334 a\r\n",
]


@given(st.data())
@settings(max_examples=60, derandomize=True, deadline=None)
def test_replies_are_the_same_wherever_they_are_split(data: st.DataObject) -> None:
    replies = data.draw(st.lists(st.sampled_from(WHOLE), min_size=1, max_size=6))
    octets = b"".join(raw for raw, _ in replies)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(octets) - 1), max_size=8)))
    reader = ReplyReader()
    found = [
        reply for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True) for reply in reader.feed(octets[start:end])
    ]
    assert found == [reply for _, reply in replies]
    assert not reader.amid


def test_a_reply_that_came_one_octet_at_a_time_is_a_reply() -> None:
    reader = ReplyReader()
    octets = b"".join(raw for raw, _ in WHOLE)
    assert [reply for octet in octets for reply in reader.feed(bytes([octet]))] == [reply for _, reply in WHOLE]


@pytest.mark.parametrize("octets", [b"4", b"421 bye", b"421-bye\r\n", b"421-bye\r\n421"])
def test_a_reply_has_begun_with_its_first_octet(octets: bytes) -> None:
    reader = ReplyReader()
    assert list(reader.feed(octets)) == []
    assert reader.amid


@pytest.mark.parametrize("octets", BAD)
def test_what_is_no_reply_is_told_apart_and_what_came_before_it_counts(octets: bytes) -> None:
    feeding = ReplyReader().feed(b"250 ok\r\n" + octets)
    assert next(feeding) == Reply(250, "ok")
    with pytest.raises(BadReply, match="makes no sense"):
        next(feeding)


@pytest.mark.parametrize("octets", [b"x", b"250 " + b"x" * 100, b"250-x\r\n", b"250-" + b"x" * 8000 + b"\r\n"])
def test_what_has_no_end_is_given_up_before_it_fills_memory(octets: bytes) -> None:
    reader = ReplyReader()

    def feed_for_ever() -> None:
        for _ in range(2 + MAX_REPLY // len(octets)):
            assert list(reader.feed(octets)) == []

    with pytest.raises(BadReply, match="has no end"):
        feed_for_ever()


def test_a_line_longer_than_a_reply_may_be_is_none_even_if_it_comes_at_once() -> None:
    with pytest.raises(BadReply, match="no end"):
        list(ReplyReader().feed(b"250 " + b"x" * MAX_REPLY + b"\r\n"))


def test_a_reply_may_have_a_thousand_lines_and_no_more() -> None:
    assert len(list(ReplyReader().feed(b"250-a\r\n" * (MAX_LINES - 1) + b"250 a\r\n"))) == 1
    with pytest.raises(BadReply, match="no end"):
        list(ReplyReader().feed(b"250-a\r\n" * MAX_LINES + b"250 a\r\n"))


@given(st.binary(max_size=200))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_any_octets_are_replies_or_are_refused(octets: bytes) -> None:
    reader = ReplyReader()
    try:
        for code, text in reader.feed(octets):
            assert 200 <= code < 600
            assert "\r\n" not in text
    except BadReply:
        pass
