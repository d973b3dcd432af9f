"""What decides a reader's picks besides the edition."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from digest.ranking.profile import Profile
from digest.subscribers.model import Interest


@dataclass(frozen=True, eq=False, slots=True)
class Taste:
    """What a reader is interested in, how much that decides, and how much he wants to read."""

    profile: Profile = field(default_factory=Profile)
    """Learned with the vocabulary of the edition."""
    interests: tuple[Interest, ...] = ()
    """All of his: the exact ones are looked up in the edition."""
    share: float = 0.5
    cards: int = 10
    also: int = 10
    seed: int = 0
    """His number, so that what is drawn for him is his own."""

    def of(self, profile: Profile, interests: Sequence[Interest], share: float | None, cards: int | None, seed: int) -> "Taste":
        """This taste with what a reader has and chose himself; None is no choice."""
        return Taste(
            profile=profile,
            interests=tuple(interests),
            share=self.share if share is None else share,
            cards=cards or self.cards,
            also=self.also,
            seed=seed,
        )
