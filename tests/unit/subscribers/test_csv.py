import csv
import io
from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import BadInput
from digest.papers.text import clean
from digest.subscribers.address import EmailAddress
from digest.subscribers.csv import COLUMNS, MAX_RECORD, BadRow, Row, Sheet, neutralised, written
from digest.subscribers.language import LANGUAGES
from digest.subscribers.model import MAX_NAME, STATES, Interest, Preferences, Subscriber


def read(text: str | bytes) -> list[Row | BadRow]:
    return list(Sheet(io.BytesIO(text.encode() if isinstance(text, str) else text)))


def good(text: str | bytes) -> list[str]:
    return [row.sign_up.address.text for row in read(text) if isinstance(row, Row)]


def bad_lines(text: str | bytes) -> list[int]:
    return [row.line for row in read(text) if isinstance(row, BadRow)]


def test_every_column_is_read() -> None:
    (row,) = read(
        "Email,NAME,topics,keywords,authors,categories,mutes,likes,dislikes,zone,hour,days,cadence,size,share\n"
        "ann@example.org,Ann,graphs; robots ,CRISPR,Jane Doe,cs.cl; q-bio.NC,survey,2301.00001v2;10.1000/a%3Bb,hep-th/9901001,"
        "Europe/Berlin,7:30,mon-fri,weekly,5,0.9\n"
    )
    assert isinstance(row, Row)
    assert row.line == 2
    assert row.sign_up.name == "Ann"
    assert row.sign_up.interests == (
        Interest("topic", "graphs"),
        Interest("topic", "robots"),
        Interest("keyword", "CRISPR"),
        Interest("author", "Jane Doe"),
        Interest("category", "cs.CL"),
        Interest("category", "q-bio.NC"),
        Interest("mute", "survey"),
        Interest("liked", "arxiv:2301.00001"),
        Interest("liked", "doi:10.1000/a;b"),
        Interest("disliked", "arxiv:hep-th/9901001"),
    )
    wish = row.sign_up.preferences
    assert wish == Preferences("Europe/Berlin", time(7, 30), frozenset(range(5)), "weekly", 5, 0.9)


def test_an_address_alone_is_enough() -> None:
    assert good("email\nann@example.org\nbob@example.org") == ["ann@example.org", "bob@example.org"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_the_header_s(delimiter: str) -> None:
    text = f'name{delimiter}email\n"Lee{delimiter} Ann"{delimiter}ann@example.org\n'
    (row,) = read(text)
    assert isinstance(row, Row)
    assert row.sign_up.name == f"Lee{delimiter} Ann".replace("\t", " ").replace("  ", " ")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_on_any_system(end: str) -> None:
    assert good(end.join(["email", "ann@example.org", "", "bob@example.org"])) == ["ann@example.org", "bob@example.org"]


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    assert good(b"\xef\xbb\xbfemail\nann@example.org\n") == ["ann@example.org"]


def test_unknown_columns_are_named_once_and_passed_over() -> None:
    sheet = Sheet(io.BytesIO(b"email,phone,Joined\nann@example.org,1,2\n"))
    assert sheet.unknown_columns == ("phone", "joined")
    assert len(list(sheet)) == 1


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"name,zone\nAnn,UTC\n",
        b"ann@example.org\n",
        b"email,email\n",
        b"email,name,name\n",
        "email\n".encode("utf-16"),
    ],
)
def test_a_file_without_a_header_that_can_be_used_is_refused_with_a_fix(text: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        Sheet(io.BytesIO(text))
    assert caught.value.fix


def test_bad_rows_are_told_by_line_and_good_ones_kept() -> None:
    text = (
        "email,zone,hour\n"
        "ann@example.org,UTC,8\n"
        "not an address,UTC,8\n"
        "bob@example.org,Mars/Base,8\n"
        "cas@example.org,UTC,25\n"
        "\n"
        ",UTC,8\n"
        "dee@example.org\n"
        "eve@example.org,UTC,8,extra\n"
        "fay@example.org,UTC,8,,\n"
        ",,\n"
        "gus@example.org,,\n"
    )
    assert good(text) == ["ann@example.org", "fay@example.org", "gus@example.org"]
    assert bad_lines(text) == [3, 4, 5, 7, 8, 9]


def test_a_short_row_is_bad_for_its_address_may_be_cut_too() -> None:
    assert bad_lines("email,name\nann@example.org,Ann\nbob@example.o") == [3]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("likes", "the one about graphs"),
        ("categories", "!!"),
        ("authors", "ann@example.org"),
        ("topics", ";".join(f"topic {n}" for n in range(51))),
        ("dislikes", ";".join(f"2301.{n:05}" for n in range(1001))),
    ],
)
def test_interests_that_are_none_or_too_many_make_a_row_bad(column: str, cell: str) -> None:
    assert bad_lines(f"email,{column}\nann@example.org,{cell}\n") == [2]


def test_who_likes_and_dislikes_a_paper_likes_it() -> None:
    (row,) = read("email,likes,dislikes\nann@example.org,2301.00001,2301.00001;2301.00002\n")
    assert isinstance(row, Row)
    assert row.sign_up.interests == (Interest("liked", "arxiv:2301.00001"), Interest("disliked", "arxiv:2301.00002"))


def test_a_nul_costs_its_row_only() -> None:
    assert bad_lines(b"email,name\nann@example.org,A\0nn\nbob@example.org,Bob\n") == [2]


def test_a_name_in_latin_1_is_read_as_such() -> None:
    (row,) = read(b"email,name\nann@example.org,Ren\xe9e\n")
    assert isinstance(row, Row)
    assert row.sign_up.name == "Renée"


def test_an_address_that_is_not_utf_8_is_not_guessed() -> None:
    assert bad_lines(b"email\nann@b\xfccher.example\nbob@example.org\n") == [2]


def test_a_row_of_megabytes_is_passed_over() -> None:
    text = b"email,name\nann@example.org," + b"x" * 5_000_000 + b"\nbob@example.org,Bob\n"
    assert good(text) == ["bob@example.org"]
    assert bad_lines(text) == [2]


def test_a_quoted_cell_may_span_lines_in_a_column_of_others() -> None:
    text = 'email,notes\nann@example.org,"one\ntwo\n"\nbob@example.org,three\n'
    assert [row.line for row in read(text)] == [2, 5]
    assert good(text) == ["ann@example.org", "bob@example.org"]


@pytest.mark.parametrize(
    "opened",
    ['ann@example.org,"Ann', '"ann@example.org,Ann', 'ann@example.org,"Ann"x', '"ann@example.org"x,Ann'],
)
def test_a_quote_that_never_ends_costs_its_line_only(opened: str) -> None:
    rest = "".join(f"r{n}@example.org,Reader {n}\n" for n in range(200))
    text = f"email,name\n{opened}\n{rest}"
    assert bad_lines(text) == [2]
    assert len(good(text)) == 200


def test_a_quote_that_ends_lines_later_by_chance_swallows_nobody() -> None:
    text = 'email,name\nann@example.org,"Ann\nbob@example.org,Bob\ncas@example.org,Cas"\ndee@example.org,Dee\n'
    assert good(text)[0] == "bob@example.org"
    assert good(text)[-1] == "dee@example.org"
    assert 2 in bad_lines(text)


def test_a_quote_in_every_line_takes_no_longer_than_their_number() -> None:
    text = "email,name\n" + 'ann@example.org,"Ann\n' * 3000
    assert len(bad_lines(text)) == 3000


def test_the_state_of_an_export_is_kept_and_california_is_not_one() -> None:
    rows = read("email,state\nann@example.org,unsubscribed\nbob@example.org,CA\n")
    assert [row.state for row in rows if isinstance(row, Row)] == ["unsubscribed", None]


@given(st.binary(max_size=400))
def test_no_bytes_below_a_header_are_too_much(noise: bytes) -> None:
    for row in read(b"email,name\n" + noise):
        assert row.line >= 2


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@given(st.lists(st.tuples(st.booleans(), cells), max_size=15))
def test_among_rows_quoted_by_the_book_every_good_one_is_found(rows: list[tuple[bool, str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["email", "notes"])
    for number, (is_good, notes) in enumerate(rows):
        writer.writerow([f"r{number}@example.org" if is_good else "nobody", notes])
    expected = [f"r{number}@example.org" for number, (is_good, _) in enumerate(rows) if is_good]
    assert good(out.getvalue()) == expected


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "'=", "''+"])
def test_no_cell_begins_like_a_formula(start: str) -> None:
    assert neutralised(f"{start}cmd") == f"'{start}cmd"


def test_a_plain_cell_is_left_alone() -> None:
    assert neutralised("'Ann'") == "'Ann'"


locals_ = st.from_regex(r"[a-z0-9=+'-]{1,12}", fullmatch=True)
names = st.text(max_size=30).map(lambda text: clean(text, MAX_NAME)).map(str.strip)
topics = st.lists(st.from_regex(r"[=+@'-]?[a-z]{1,9}( [a-z]{1,9})?", fullmatch=True), max_size=4, unique=True)
papers = st.lists(
    st.from_regex(
        r"arxiv:23(0[1-9]|1[0-2])\.[0-9]{5}|doi:10\.1000/[a-z;]{1,9}[a-z]|title:[a-z]{1,9} [a-z]{1,9}\|doe", fullmatch=True
    ),
    max_size=4,
    unique=True,
)
wishes = st.builds(
    Preferences,
    zone=st.sampled_from(["UTC", "Asia/Kolkata"]),
    hour=st.none() | st.builds(time, st.integers(0, 23), st.integers(0, 59)),
    days=st.frozensets(st.integers(0, 6), min_size=1),
    cadence=st.sampled_from(["daily", "weekly"]),
    size=st.none() | st.integers(1, 25),
    share=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    language=st.sampled_from(["", *LANGUAGES]),
)


@given(locals_, names, topics, papers, wishes, st.sampled_from(STATES))
def test_what_is_written_is_read_back_and_no_cell_is_a_formula(
    local: str, name: str, wanted: list[str], rated: list[str], wish: Preferences, state: str
) -> None:
    address = EmailAddress(f"{local}@example.org")
    interests = tuple(
        Interest(kind, word)
        for kind in ("topic", "keyword", "author", "mute")
        for word in wanted
        if word[2:] and "@" not in word
    )
    interests += tuple(Interest("liked" if number else "disliked", key) for number, key in reversed([*enumerate(rated)]))
    one = Subscriber(1, address, state, "t" * 22, name, wish)  # type: ignore[arg-type]
    text = "".join(written([(one, interests)]))
    for row in csv.reader(io.StringIO(text, newline="")):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    (row,) = read(text)
    assert isinstance(row, Row)
    assert row.sign_up.address == address
    assert (row.sign_up.name, row.sign_up.preferences, row.state) == (name, wish, state)
    assert row.sign_up.interests == interests


def test_the_longest_record_still_counts() -> None:
    filler = "x" * (MAX_RECORD - len("ann@example.org,") - 1)
    assert good(f"email,notes\nann@example.org,{filler}\n") == ["ann@example.org"]
    assert bad_lines(f"email,notes\nann@example.org,{filler}xx\n") == [2]


def test_an_export_begins_with_its_columns() -> None:
    assert next(iter(written([]))) == ",".join(COLUMNS) + "\r\n"
