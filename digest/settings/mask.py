"""Which settings are secret, and how they are shown."""

import re

SECRETS = (
    "site.secret_key",
    "smtp.password",
    "smtp.url",
    "dkim.key",
    "dkim.ed25519_key",
    "database.url",
    "web.operator_token",
    "sources.semantic_scholar.key",
    "sources.openalex.key",
    "sources.github.token",
)
"""Settings that are, or may hold, a secret; they can also come from a file of their own."""

STARS = "********"
_CREDENTIALS = re.compile(r"^([^:]*://[^:@]*):.*@", re.DOTALL)
_PARAMETER = re.compile(r"((?:^|[?&;\s])[^=&;\s]*pass[^=&;\s]*=)[^&;\s]*", re.IGNORECASE)


def masked(key: str, value: str) -> str:
    """A setting as it may be shown: an address without its password, any other secret as stars.

    Rather too much is covered than too little: everything from the first colon after the user name to the last @.
    """
    if not value or key not in SECRETS:
        return value
    if not key.endswith(".url"):
        return STARS
    if "://" not in value:
        return STARS
    return _PARAMETER.sub(rf"\1{STARS}", _CREDENTIALS.sub(rf"\1:{STARS}@", value))
