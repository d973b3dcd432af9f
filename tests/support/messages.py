"""All that mails say, found where it is said: in the templates of mails, and in the modules that word them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, nodes

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted(
    path
    for path in (ROOT / "templates" / "email").rglob("*.*")
    if path.suffix in (".txt", ".html") and path.parent.name != "operator"
)
"""Those of mails to readers; the operator's report is in English."""
_WORD = re.compile(r"[^\W\d_]{2}")
_NO_TEXT = re.compile(r"<style>.*?</style>|<!--.*?-->|<[^>]*>|&[#\w]+;", re.DOTALL)


def spoken() -> dict[str, str]:
    """Every text, and what is English for many; the same where nothing is counted."""
    found = {text: text for path in TEMPLATES for text in _said(_parsed(path))}
    for path in sorted((ROOT / "digest" / "rendering").glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call):
                texts = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                if name in ("count", "counted") and len(texts) == 2:
                    found[texts[0]] = texts[1]
                elif name == "messages" or (name == "say" and texts):
                    found |= {text: text for text in texts}
    return found


def bare_words(path: Path) -> list[str]:
    """What a template says in words of its own, past the catalogue."""
    tree = _parsed(path)
    asked = {id(call.args[0]) for call in tree.find_all(nodes.Call) if _is_asking(call) and call.args}
    data = _NO_TEXT.sub(" ", "".join(one.data for one in tree.find_all(nodes.TemplateData)))
    # A constant of one small word names a class or a filter's way.
    constants = [
        one.value
        for one in tree.find_all(nodes.Const)
        if isinstance(one.value, str) and id(one) not in asked and re.search(r"[A-Z]|\w \w", one.value)
    ]
    return [one for one in (*data.split(), *constants) if _WORD.search(one)]


def _parsed(path: Path) -> nodes.Template:
    return Environment(trim_blocks=True, lstrip_blocks=True).parse(path.read_text(encoding="utf-8"))


def _said(tree: nodes.Template) -> Iterator[str]:
    for call in tree.find_all(nodes.Call):
        if _is_asking(call):
            (text,) = call.args
            assert isinstance(text, nodes.Const), "a text is asked for by itself, not by a name"
            yield str(text.value)


def _is_asking(call: nodes.Call) -> bool:
    return isinstance(call.node, nodes.Name) and call.node.name == "_"
