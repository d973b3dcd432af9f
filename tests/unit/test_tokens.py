import pytest

from digest.tokens import MIN_KEY_LENGTH, Signer

KEY = "k" * MIN_KEY_LENGTH


@pytest.mark.parametrize("keys", [(), ("",), (KEY[1:],), (KEY, KEY[1:])])
def test_nothing_is_signed_without_a_key_or_with_one_that_could_be_guessed(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="32 characters"):
        Signer(keys)
