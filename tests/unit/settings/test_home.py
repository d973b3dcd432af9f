from pathlib import Path

import pytest

from digest.errors import ConfigurationError
from digest.resources import checkout
from digest.settings import home_directory


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an installed wheel, which has no checkout around it."""
    monkeypatch.setattr("digest.settings.home.checkout", lambda: None)


def test_digest_home_goes_before_everything() -> None:
    assert home_directory({"DIGEST_HOME": "/srv/digest", "STATE_DIRECTORY": "/x"}) == Path("/srv/digest")


def test_a_tilde_means_the_home_of_this_environment() -> None:
    assert home_directory({"DIGEST_HOME": "~/digest", "HOME": "/home/ann"}) == Path("/home/ann/digest")


def test_a_relative_home_is_refused_because_it_moves_with_the_caller() -> None:
    with pytest.raises(ConfigurationError, match="DIGEST_HOME") as refused:
        home_directory({"DIGEST_HOME": "state"})
    assert str(Path.cwd() / "state") in refused.value.fix


def test_a_checkout_keeps_its_state_in_var() -> None:
    top = checkout()
    assert top is not None
    assert home_directory({"DIGEST_HOME": "", "STATE_DIRECTORY": "/x"}) == top / "var"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("environ", "uid", "home"),
    [
        ({"STATE_DIRECTORY": "/var/lib/digest:/var/lib/other"}, 0, "/var/lib/digest"),
        ({"HOME": "/root"}, 0, "/var/lib/digest"),
        ({"XDG_STATE_HOME": "/home/ann/state", "HOME": "/home/ann"}, 1000, "/home/ann/state/digest"),
        ({"HOME": "/home/ann"}, 1000, "/home/ann/.local/state/digest"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/home/ann"}, 1000, "/home/ann/.local/state/digest"),
    ],
)
def test_an_installed_program_asks_systemd_then_root_then_xdg(environ: dict[str, str], uid: int, home: str) -> None:
    assert home_directory(environ, uid=uid) == Path(home)
