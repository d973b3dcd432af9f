"""What a sentence model is asked and what comes of it; a real runtime and tokenizer, with a model of six words."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tiny_model import tiny_model

from digest.errors import ConfigurationError
from digest.semantic import MAX_TOKENS, Encoder
from digest.semantic.encoder import batches

WORDS = {"cat": (1, 0, 0), "kitten": (0.9, 0.1, 0), "dog": (0.5, 0.5, 0), "car": (0, 0, 1), "lorry": (0, 0.1, 0.9)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "model", WORDS)


def test_a_text_is_the_mean_of_its_tokens_of_length_one(folder: Path) -> None:
    encoder = Encoder(folder)
    found = encoder.encode(["cat car", "A cat!"])
    assert encoder.dimension == 3
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array([[0.5**0.5, 0, 0.5**0.5], [1, 0, 0]]), abs=1e-6)


def test_a_text_means_the_same_whatever_stands_beside_it(folder: Path) -> None:
    encoder = Encoder(folder)
    texts = [f"cat {'dog ' * length}car {'lorry ' * (length % 7)}" for length in range(100)]
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert encoder.encode(texts) == pytest.approx(alone, abs=1e-6)
    assert encoder.encode(texts[::-1])[::-1] == pytest.approx(alone, abs=1e-6)


def test_more_texts_than_are_tokenized_at_once_keep_their_places(folder: Path) -> None:
    found = Encoder(folder).encode(["cat", "car"] * 1500)
    assert found.shape == (3000, 3)
    assert (found[::2] == (1, 0, 0)).all()
    assert (found[1::2] == (0, 0, 1)).all()


def test_what_follows_the_last_token_that_counts_is_not_read(folder: Path) -> None:
    encoder = Encoder(folder)
    first, second = encoder.encode(["cat " * MAX_TOKENS, "cat " * MAX_TOKENS + "car " * 1000])
    assert (first == second).all()
    assert encoder.encode(["cat " * (MAX_TOKENS - 1) + "car"])[0, 2] > 0


def test_a_text_without_a_word_that_is_known_has_no_direction(folder: Path) -> None:
    assert not Encoder(folder).encode(["", "   ", "xyzzy"]).any()
    assert Encoder(folder).encode([]).shape == (0, 3)


def test_progress_adds_up_to_the_number_of_texts(folder: Path) -> None:
    told: list[int] = []
    Encoder(folder).encode(["cat " * length for length in range(300)], told.append)
    assert sum(told) == 300
    assert len(told) > 1


@given(st.lists(st.integers(0, 300), max_size=60))
def test_batches_hold_every_text_once_and_are_bounded(lengths: list[int]) -> None:
    found = list(batches(lengths, 256))
    assert sorted(place for batch in found for place in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[place] for place in batch) <= 256 for batch in found)


def test_a_model_is_named_after_its_file_and_all_that_decides_its_vectors(tmp_path: Path) -> None:
    one = Encoder(tiny_model(tmp_path / "one", WORDS)).model
    assert re.fullmatch(r"model-[0-9a-f]{12}", one)
    assert Encoder(tiny_model(tmp_path / "same", WORDS)).model == one
    assert Encoder(tiny_model(tmp_path / "other", WORDS | {"cat": (0, 1, 0)})).model != one
    spelt = tiny_model(tmp_path / "spelt", WORDS)
    (spelt / "tokenizer.json").write_text((spelt / "tokenizer.json").read_text().replace('"cat"', '"tomcat"'))
    assert Encoder(spelt).model != one
    long = Encoder(tiny_model(tmp_path / "long", WORDS, name="m" * 200 + ".onnx")).model
    assert len(long) <= 80


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["model.onnx", "model_quantized.onnx"], "model"),
        (["model_quantized.onnx", "other.onnx"], "model_quantized"),
        (["minilm.onnx"], "minilm"),
    ],
)
def test_the_usual_name_comes_first_and_any_single_model_will_do(tmp_path: Path, names: list[str], chosen: str) -> None:
    for name in names:
        tiny_model(tmp_path, WORDS, name=name)
    assert Encoder(tmp_path).model.startswith(f"{chosen}-")


@pytest.mark.parametrize("inputs", [("input_ids",), ("input_ids", "attention_mask", "token_type_ids")])
def test_a_model_is_given_just_the_inputs_that_it_has(tmp_path: Path, inputs: tuple[str, ...]) -> None:
    assert Encoder(tiny_model(tmp_path, WORDS, inputs=inputs)).encode(["cat"])[0].tolist() == [1, 0, 0]


def refused(folder: Path) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        Encoder(folder).encode(["cat"])
    assert caught.value.fix
    return caught.value


def test_a_folder_that_is_no_model_is_refused_in_words(tmp_path: Path) -> None:
    assert "there is no folder" in str(refused(tmp_path / "nowhere"))
    assert "no model" in str(refused(tmp_path))
    tiny_model(tmp_path, WORDS, name="a.onnx")
    (tmp_path / "tokenizer.json").rename(tmp_path / "hidden")
    assert "no tokenizer.json" in str(refused(tmp_path))
    (tmp_path / "hidden").rename(tmp_path / "tokenizer.json")
    tiny_model(tmp_path, WORDS, name="b.onnx")
    assert "several models" in str(refused(tmp_path))


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json"])
@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff nothing that anybody wrote", b"version https://git-lfs.github.com/spec/v1\n"]
)
def test_a_file_that_is_something_else_is_refused_in_words(folder: Path, file: str, content: bytes) -> None:
    (folder / file).write_bytes(content)
    assert "holds no sentence model that can be used" in str(refused(folder))


def test_a_model_that_wants_something_else_than_text_is_refused(tmp_path: Path) -> None:
    assert "it wants attention_mask, pixels" in str(refused(tiny_model(tmp_path, WORDS, inputs=("pixels", "attention_mask"))))


def test_a_tokenizer_of_another_model_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    encoder = Encoder(tiny_model(tmp_path, WORDS, spare=5))
    with pytest.raises(ConfigurationError, match=re.escape(str(tmp_path))):
        encoder.encode(["spare3"])


@pytest.mark.parametrize("library", ["onnxruntime", "tokenizers"])
def test_without_the_extra_it_is_said_how_to_install_it(folder: Path, monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    error = refused(folder)
    assert f"{library} is not installed" in str(error)
    assert "[semantic]" in error.fix


def test_a_model_that_nobody_uses_is_named_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model at all")
    (tmp_path / "tokenizer.json").write_text("{}")
    assert Encoder(tmp_path).model.startswith("model-")
