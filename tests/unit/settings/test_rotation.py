from io import StringIO

import pytest
from dotenv.parser import parse_stream
from hypothesis import assume, given
from hypothesis import strategies as st

from digest.settings.rotation import new_key, with_variable

NAME = "DIGEST_SITE__SECRET_KEY"
_text = st.text("abZ09 '\"\\#=$-", max_size=12)
_lines = st.one_of(
    st.just(""),
    _text.map("# {}".format),
    st.builds("{}{}={}{}".format, st.sampled_from(["", "export ", "  "]), st.sampled_from([NAME, "A", "B"]), _text, _text),
)


def read(text: str) -> list[tuple[str | None, str | None]]:
    """The variables in their order; the last of a name counts."""
    return [(one.key, one.value) for one in parse_stream(StringIO(text, newline="")) if one.key or one.error]


_keys = st.text("abZ09'\"\\#=$-", max_size=12).map("new old{}".format)


@given(st.lists(_lines, max_size=6), st.sampled_from(["\n", "\r\n"]), st.booleans(), _keys)
def test_one_variable_is_set_and_the_others_stay_as_they_are(lines: list[str], newline: str, ended: bool, key: str) -> None:
    text = newline.join(lines) + (newline if ended and lines else "")
    before = read(text)
    assume(all(name is not None for name, _ in before))  # what cannot be read is refused before it is written over
    after = read(with_variable(text, NAME, key))
    assert [one for one in after if one[0] != NAME] == [one for one in before if one[0] != NAME]
    assert [value for name, value in after if name == NAME] == [key]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"{NAME}='k'\n"),
        ("A=1", f"A=1\n{NAME}='k'\n"),
        (f"# mine\n\n{NAME}=old # of March\nA=1\n", f"# mine\n\n{NAME}='k' # of March\nA=1\n"),
        (f"export {NAME} = 'old'  # of March\r\nA=1\r\n", f"export {NAME} = 'k'  # of March\r\nA=1\r\n"),
        (f"{NAME}=\n{NAME}=old\n", f"{NAME}='k'\n"),
        (f"{NAME}= # still to be made\n", f"{NAME}='k' # still to be made\n"),
        (f'{NAME}="new\nold"', f"{NAME}='k'"),
        (f"#{NAME}=\n", f"#{NAME}=\n{NAME}='k'\n"),
    ],
)
def test_comments_and_lines_stay(before: str, after: str) -> None:
    assert with_variable(before, NAME, "k") == after


def test_keys_are_long_and_never_the_same() -> None:
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert min(map(len, keys)) >= 64
