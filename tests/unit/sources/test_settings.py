import pytest
from pydantic import ValidationError

from digest.sources.settings import SourcesSettings


def test_hugging_face_is_on_and_the_folder_off() -> None:
    settings = SourcesSettings()
    assert settings.huggingface.enabled
    assert settings.huggingface.url == "https://huggingface.co"
    assert not settings.folder.enabled


def test_an_address_loses_its_last_slash() -> None:
    settings = SourcesSettings.model_validate({"huggingface": {"url": "http://127.0.0.1:8080/mirror/"}})
    assert settings.huggingface.url == "http://127.0.0.1:8080/mirror"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "huggingface.co",
        "ftp://huggingface.co",
        "https://",
        "https://a:b@huggingface.co",
        "https://h.co?x=1",
        "https://[::1",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        SourcesSettings.model_validate({"huggingface": {"url": url}})


def test_a_folder_that_is_on_needs_a_path() -> None:
    with pytest.raises(ValidationError, match=r"sources\.folder\.path"):
        SourcesSettings.model_validate({"folder": {"enabled": True}})


def test_a_setting_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError):
        SourcesSettings.model_validate({"folder": {"paht": "papers"}})
