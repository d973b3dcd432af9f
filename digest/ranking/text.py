"""The words of a text in the plain form that papers are compared by: no stop words, singular beside plural, and pairs."""

import re
from collections import Counter
from functools import lru_cache
from itertools import pairwise

from digest.papers.identity import normalised_title
from digest.papers.model import Work

TITLE_WEIGHT = 2
"""A word of the title, or of the paper's own keywords, counts as often: it says what the paper is about."""

LONGEST_WORD = 40
"""What is longer is no word but an address or a formula."""

_MARKS = re.compile(r"[,:;.?!()\[\]]+(?=\s|$)|\(|\[")

_STOP = frozenset(
    # Words that stand in texts about anything: pronouns, prepositions, auxiliaries, and what joins sentences.
    """
    about above across after again against all almost alone along already also although always am among amongst an and
    another any anyone anything are around as at be became because become becomes been before being below beside besides
    between beyond both but by can cannot could de did do does doing done down due during each either else enough et etc
    even ever every everyone everything except few first for former from further get give given go had has have having he
    hence her here hereby hers him his how however ie eg if in indeed instead into is it its itself just keep last latter
    least less made make makes making many may me meanwhile might mine more moreover most mostly much must my namely neither
    never nevertheless next no nobody none nor not nothing now nowhere of off often on once one only onto or other others
    otherwise our ours out over own part per perhaps put rather re same see seem seems several she should since so some
    something sometimes still such take than that the their theirs them themselves then there thereby therefore these they
    this those though through throughout thus to together too toward towards two under until up upon us use used uses using
    very via was we well were what whatever when whence whenever where whereas whereby wherein wherever whether which while
    who whole whom whose why will with within without would yet you your
    """.split()
)


def terms(text: str) -> list[str]:
    """The words of a text without stop words, as written and in the singular, and then each pair of neighbours.

    >>> terms("The Policies of a Robot")
    ['policy', 'policies', 'robot', 'policy robot']
    """
    words: list[str] = []
    forms: list[str] = []
    for word in normalised_title(text).split():
        if form := _form(word):
            forms.append(form)
            words.append(form)
            # Both forms count: the singular finds more, and who writes of agents means them more than who names an agent.
            if form != word:
                words.append(word)
    words += [f"{one} {two}" for one, two in pairwise(forms)]
    return words


def phrases(text: str, words: int) -> list[str]:
    """Each run of so many neighbours without a stop word or a mark between them, in the singular.

    What hyphens join is one word here, for half of it says nothing.

    >>> phrases("Reward models of large language models", 2)
    ['reward model', 'large language', 'language model']
    >>> phrases("Long-horizon planning by vision-language models", 2)
    ['long horizon planning', 'vision language model']
    """
    found = []
    for part in _MARKS.split(text):
        forms = [_joined(parts) for word in part.split() if (parts := normalised_title(word).split())]
        runs = (forms[start : start + words] for start in range(len(forms) - words + 1))
        found += [" ".join(run) for run in runs if all(run)]
    return found


def _joined(parts: list[str]) -> str:
    """The form of a word, or of several that hyphens join: stop words tell something among them, as in text-to-image."""
    *first, last = parts
    return " ".join([*first, _form(last) or last]) if first else _form(last)


def counts(work: Work) -> Counter[str]:
    """How often each word and pair stands in a paper; those of title and keywords count several times."""
    found = Counter(terms(work.abstract))
    for text in (work.title, *work.keywords):
        for term in terms(text):
            found[term] += TITLE_WEIGHT
    return found


# Words repeat: looking one up is three times as quick as forming it anew.
@lru_cache(maxsize=200_000)
def _form(word: str) -> str:
    """One form for singular and plural, all that comparing papers needs of English grammar; empty for what tells nothing."""
    if len(word) < 2 or len(word) > LONGEST_WORD or word in _STOP:
        return ""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
