"""What can go wrong, in the words of the person who must mend it.

Every error carries what happened (`str(error)`), what to do about it (`fix`) and the exit code of a command that it ends.
The codes are those of `sysexits.h` where one fits.
"""

import errno
from pathlib import Path


class DigestError(Exception):
    """Something went wrong that this program foresaw."""

    exit_code = 1

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


class UsageError(DigestError):
    """The command was called with something that it does not take."""

    exit_code = 2


class BadInput(DigestError):
    """Nothing in the input could be used."""

    exit_code = 65


class ServerUnavailable(DigestError):
    """A server that this command needs did not answer, or turned us away as a whole."""

    exit_code = 69


class Busy(DigestError):
    """Somebody else holds what this command needs; the same call may succeed later."""

    exit_code = 75


class NotPermitted(DigestError):
    """The operating system or a rule of the program forbids it."""

    exit_code = 77


class ConfigurationError(DigestError):
    """A setting or the database's schema is not what this program can work with."""

    exit_code = 78


class TemporaryFailure(DigestError):
    """The machine cannot do it now (disk full, database locked); nothing was lost."""

    exit_code = 75


def unwritable(path: Path, error: OSError, *, fix: str) -> DigestError:
    """Why a file cannot be written: there is no room for it, which passes, or it may not be, which `fix` mends."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return TemporaryFailure(f"the disk of {path.parent} is full", fix="make room, then call this again")
    return NotPermitted(f"{path} cannot be written: {error.strerror}", fix=fix)
