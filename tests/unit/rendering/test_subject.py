"""Subject and preheader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rendering.subject import MAX_PREHEADER, MAX_SUBJECT, preheader, subject_line


@pytest.mark.parametrize(
    ("lead", "others", "subject"),
    [
        ("Flow matching on spheres", 9, "Flow matching on spheres + 9 more"),
        ("Flow matching on spheres", 0, "Flow matching on spheres"),
        (
            "Spherical flow matching beats latent diffusion at a tenth of the cost",
            9,
            "Spherical flow matching beats latent diffusion… + 9 more",
        ),
        ("One\r\nBcc: two", 1, "One Bcc: two + 1 more"),
    ],
)
def test_the_subject_is_the_lead_story_and_how_many_follow(lead: str, others: int, subject: str) -> None:
    assert subject_line(lead, others) == subject


@given(st.text(max_size=200), st.integers(0, 50))
def test_a_subject_is_one_short_line(lead: str, others: int) -> None:
    subject = subject_line(lead, others)
    assert len(subject) <= MAX_SUBJECT
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in subject)
    assert len(subject.splitlines()) <= 1


def test_the_preheader_goes_on_where_the_subject_ends() -> None:
    line = preheader(["KV-cache pruning at 128k", "A robot that folds laundry from 20 demos"], "unused")
    assert line == "2. KV-cache pruning at 128k · 3. A robot that folds laundry from 20 demos"


def test_a_single_paper_is_introduced_by_its_summary() -> None:
    assert preheader([], "It does this.") == "It does this."


@given(st.lists(st.text(min_size=1, max_size=150), max_size=5), st.text(max_size=300))
def test_a_preheader_fits_and_never_repeats_the_lead(titles: list[str], summary: str) -> None:
    line = preheader(titles, summary)
    assert len(line) <= MAX_PREHEADER
    assert not titles or line.startswith("2.")
