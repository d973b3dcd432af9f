"""What an operator may set about the database."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_SCHEMES = ("sqlite://", "postgresql://", "postgresql+psycopg://", "postgres://")


def _database_url(url: str) -> str:
    # The address may hold a password: it is never quoted.
    if not url.startswith(_SCHEMES):
        raise ValueError("not a database address; write it like sqlite:////srv/digest.db or postgresql://user@host/digest")
    return url


class DatabaseSettings(BaseModel):
    """Where everything is kept. `url` None: the file `digest.db` in the state folder."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: Annotated[str, AfterValidator(_database_url)] | None = Field(default=None, repr=False)
