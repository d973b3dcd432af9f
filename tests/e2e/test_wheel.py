"""The wheel, installed in an empty folder, away from the checkout."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the built and installed package in it, and nothing else."""
    built, target = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("installed")
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)], cwd=TOP)
    (wheel,) = built.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    _run([*pip, "--no-compile", "--target", str(target), str(wheel)], cwd=built)
    return target


def test_the_wheel_brings_its_templates_config_and_seeds(installed: Path) -> None:
    names = {path.relative_to(installed / "digest" / "_resources").parts[0] for path in installed.rglob("_resources/*")}
    assert names == {"templates", "config", "seeds"}
    assert not (installed / "tests").exists()


def test_the_installed_program_runs_the_demo(installed: Path, tmp_path: Path) -> None:
    said = json.loads(_digest(installed, tmp_path, "demo", "--json"))
    assert len(said["mails"]) == 4
    assert len(list((tmp_path / "home" / "demo" / "inbox").glob("*.eml"))) == 4


def test_the_installed_program_is_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    script = "import digest, digest.resources, sys; print(digest.__file__, digest.resources.checkout(), *sys.path, sep='\\n')"
    package, checkout, *path = _python(installed, tmp_path, "-c", script).splitlines()
    assert Path(package).is_relative_to(installed)
    assert checkout == "None"
    assert str(TOP) not in path


def _digest(installed: Path, cwd: Path, *arguments: str) -> str:
    return _python(installed, cwd, "-m", "digest", *arguments)


def _python(installed: Path, cwd: Path, *arguments: str) -> str:
    """Run Python without this environment's site-packages as such: its `.pth` would bring the checkout."""
    libraries = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    environ = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(cwd),
        "DIGEST_HOME": str(cwd / "home"),
        "PYTHONPATH": os.pathsep.join([str(installed), *libraries]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return _run([sys.executable, "-S", *arguments], cwd=cwd, env=environ)


def _run(command: list[str], cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
