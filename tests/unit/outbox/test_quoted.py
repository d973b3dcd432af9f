import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.outbox.quoted import MAX_LINE, quoted

TEXTS = st.text(" .=\t\nab", max_size=12) | st.text("a.", min_size=70, max_size=160)


@pytest.mark.parametrize("end", ["", "é"], ids=["plain", "encoded"])
@given(TEXTS)
def test_a_piece_decodes_to_its_text_and_no_line_is_long_or_begins_with_a_dot_or_ends_in_a_blank(end: str, text: str) -> None:
    made = quoted(text + end)
    assert quopri.decodestring(made).decode() == (text + end).replace("\n", "\r\n")
    for line in made.split(b"\r\n"):
        assert len(line) <= MAX_LINE
        assert not line.startswith(b".")
        assert not line.endswith((b" ", b"\t"))
