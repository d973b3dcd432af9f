"""Templates: found, escaped, overridden, and blamed when they are broken."""

from pathlib import Path

import pytest

from digest.errors import ConfigurationError
from digest.rendering.columns import COLUMNS, Lines
from digest.rendering.environment import Environments, wrap


@pytest.fixture
def packaged(tmp_path: Path) -> Path:
    return _folder(
        tmp_path / "packaged", {"a.html": "<p>{{ word }}</p>", "a.txt": "{{ word }}", "b.txt": "{{ word | wrap(2) }}"}
    )


def _folder(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_html_is_escaped_and_text_is_not(packaged: Path) -> None:
    environments = Environments(packaged=packaged)
    assert environments.html("a.html", {"word": "<b>&\"'"}) == "<p>&lt;b&gt;&amp;&#34;&#39;</p>"
    assert environments.text("a.txt", {"word": "<b>&\"'"}) == "<b>&\"'\n"


def test_a_value_is_never_read_as_a_template(packaged: Path) -> None:
    environments = Environments(packaged=packaged)
    assert environments.html("a.html", {"word": "{{ 7*7 }}{% raise %}"}) == "<p>{{ 7*7 }}{% raise %}</p>"


def test_control_characters_and_line_ends_of_a_value_do_not_reach_a_text(packaged: Path) -> None:
    environments = Environments(packaged=packaged)
    assert environments.text("a.txt", {"word": "a\x1b[31m\r\nUnsubscribe:\u2028b\x07"}) == "a [31m Unsubscribe: b\n"
    assert environments.line("a.txt", {"word": "a\r\nBcc: b"}) == "a Bcc: b"


def test_a_wrapped_text_keeps_its_columns_and_never_breaks_an_address() -> None:
    lines = wrap("word " * 40 + "https://example.org/" + "x" * 90, 4).split("\n")
    assert all(len(line) <= COLUMNS for line in lines if "https" not in line)
    assert all(line.startswith("    ") for line in lines[1:])
    assert f"    https://example.org/{'x' * 90}" in lines
    assert wrap("x" * 200, 4).split("\n")[1] == "    " + "x" * (COLUMNS - 4)


def test_only_our_own_line_ends_survive(packaged: Path) -> None:
    assert isinstance(wrap("a\nb"), Lines)
    assert Environments(packaged=packaged).text("b.txt", {"word": "a\nb"}) == "a b\n"


def test_the_operators_template_takes_the_place_of_ours(tmp_path: Path, packaged: Path) -> None:
    own = _folder(tmp_path / "own", {"a.html": "<h1>{{ word }}</h1>"})
    environments = Environments(own, packaged)
    assert environments.html("a.html", {"word": "x"}) == "<h1>x</h1>"
    assert environments.text("a.txt", {"word": "x"}) == "x\n"


@pytest.mark.parametrize(
    ("template", "line", "what"),
    [
        ("<p>\n{% if %}", 2, "Expected an expression"),
        ("<p>\n\n{{ nobody }}", 3, "'nobody' is undefined"),
        ("<p>\n{{ 1 // 0 }}", 2, "ZeroDivisionError"),
        ("{{ word | shout }}", 1, "No filter named 'shout'"),
        ("\n{% include 'gone.html' %}", 2, "there is no template gone.html"),
    ],
)
def test_an_operators_mistake_is_named_with_file_and_line(
    tmp_path: Path, packaged: Path, template: str, line: int, what: str
) -> None:
    own = _folder(tmp_path / "own", {"a.html": template})
    with pytest.raises(ConfigurationError) as caught:
        Environments(own, packaged).html("a.html", {"word": "x"})
    assert f"{own / 'a.html'}, line {line}: " in str(caught.value)
    assert what in str(caught.value)
    assert str(own) in caught.value.fix
