"""Sets the peers up in a folder: nodemailer by npm, Django and premailer by pip, smtp-source from Debian's package of postfix.

What cannot be had is left out, with the reason; nothing is installed outside of the folder.
"""

import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass, field
from pathlib import Path

WANTED = {"nodemailer": "nodemailer@10", "django": "django>=5.2,<6", "premailer": "premailer>=3.10,<4"}


@dataclass
class Peers:
    """What there is to compare with: how it is called, and its version."""

    commands: dict[str, list[str]] = field(default_factory=dict)
    environ: dict[str, dict[str, str]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    """Why each of the others is not there."""


def install(folder: Path) -> Peers:
    """Set up what is not there yet; a second call finds all of it."""
    folder.mkdir(parents=True, exist_ok=True)
    peers = Peers()
    for name, make in (
        ("nodemailer", _nodemailer),
        ("smtp-source", _smtp_source),
        ("django", _django),
        ("premailer", _premailer),
    ):
        try:
            make(folder, peers)
        except (OSError, subprocess.CalledProcessError, LookupError) as error:
            said = getattr(error, "stderr", None)
            peers.missing[name] = (said.strip().splitlines() or [str(error)])[-1] if said else str(error)
    return peers


def _nodemailer(folder: Path, peers: Peers) -> None:
    node, npm = _found("node"), _found("npm")
    home = folder / "nodemailer"
    if not (home / "node_modules/nodemailer").is_dir():
        home.mkdir(exist_ok=True)
        (home / "package.json").write_text("{}")
        _run([npm, "install", "--no-fund", "--no-audit", WANTED["nodemailer"]], cwd=home)
    peers.commands["nodemailer"] = [node, str(Path(__file__).with_name("nodemailer.js"))]
    peers.environ["nodemailer"] = {"NODE_PATH": str(home / "node_modules")}
    version = _run([node, "-p", "require('nodemailer/package.json').version"], env=os.environ | peers.environ["nodemailer"])
    peers.versions["nodemailer"] = f"{version}, node {_run([node, '--version'])}"


def _smtp_source(folder: Path, peers: Peers) -> None:
    here = shutil.which("smtp-source", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if here:
        peers.commands["smtp-source"], peers.versions["smtp-source"] = [here], _run(["postconf", "-h", "mail_version"])
        return
    home = folder / "postfix"
    if not (home / "usr/sbin/smtp-source").exists():
        home.mkdir(exist_ok=True)
        _run([_found("apt-get"), "download", "postfix"], cwd=home)
        (package,) = home.glob("postfix_*.deb")
        _run([_found("dpkg"), "-x", str(package), str(home)])
    peers.commands["smtp-source"] = [str(home / "usr/sbin/smtp-source")]
    peers.environ["smtp-source"] = {"LD_LIBRARY_PATH": str(home / "usr/lib/postfix")}
    (package,) = home.glob("postfix_*.deb")
    peers.versions["smtp-source"] = f"postfix {package.name.split('_')[1]}"


def _django(folder: Path, peers: Peers) -> None:
    home = folder / "django"
    python = home / "bin/python"
    if not (home / "ready").exists():
        venv.create(home, with_pip=True)
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", WANTED["django"]])
        (home / "ready").touch()
    peers.commands["django"] = [str(python), str(Path(__file__).with_name("django_mailer.py"))]
    peers.versions["django"] = _run([str(python), "-m", "django", "--version"])


def _premailer(folder: Path, peers: Peers) -> None:
    home = folder / "premailer"
    if not (home / "ready").exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(home)]
        _run([*pip, WANTED["premailer"]])
        (home / "ready").touch()
    peers.environ["premailer"] = {"PYTHONPATH": str(home)}
    peers.commands["premailer"] = [sys.executable]
    look = "from importlib.metadata import version; print(version('premailer'))"
    peers.versions["premailer"] = _run([sys.executable, "-c", look], env=os.environ | peers.environ["premailer"])


def _found(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise LookupError(f"there is no {name} here")
    return found


def _run(command: list[str], **how: object) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300, **how).stdout.strip()  # type: ignore[call-overload]
