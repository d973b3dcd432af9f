"""Makes the words that the program brings along: `python -m digest.evaluation.words DIR --out digest/ranking/words.tsv`.

Of all titles and abstracts below a folder it keeps terms and in how many papers each stands: no text, no order, no ids.
"""

import argparse
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from digest.papers.identity import normalised_title
from digest.papers.model import Work
from digest.ranking.text import counts
from digest.ranking.words import count, to_text

SIZE = 20_000


def works(folder: Path) -> Iterator[Work]:
    """Every paper with an abstract in the JSON files of a folder, once, whatever the fields around it are called."""
    seen: set[str] = set()
    for path in sorted(folder.rglob("*.json*")):
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
            texts = file if ".jsonl" in path.name else [file.read()]
            for text in texts:
                for title, abstract in _papers(json.loads(text)):
                    key = normalised_title(title)
                    if key not in seen:
                        seen.add(key)
                        yield Work(title, abstract)


def _papers(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for item in value:
            yield from _papers(item)
    elif isinstance(value, dict):
        title, abstract = value.get("title"), value.get("abstract") or value.get("summary")
        if isinstance(title, str) and isinstance(abstract, str):
            yield title, abstract
        else:
            for item in value.values():
                yield from _papers(item)


def main() -> None:
    """Reads the folder and writes the list."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    documents = count(map(counts, works(options.folder)))
    options.out.write_text(to_text(documents, SIZE), "utf-8")


if __name__ == "__main__":
    main()
