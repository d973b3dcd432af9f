"""Where templates, configuration and seeds lie: beside the package in a checkout, inside it in an installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def checkout() -> Path | None:
    """The top of the source checkout that this package runs from; None when it is installed."""
    top = _PACKAGE.parent
    return top if (top / "pyproject.toml").is_file() and (top / "templates").is_dir() else None


def resource(name: str) -> Path:
    """The path of a file or folder shipped with the program, such as `templates/email` or `config/digest.toml`."""
    top = checkout()
    return (top or _PACKAGE / "_resources") / name
