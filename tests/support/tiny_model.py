"""A sentence model small enough to be made in a test: each word has a vector, and that is what the model gives for it.

The file is ONNX, written by hand: `last_hidden_state = Gather(table, input_ids)`. Numbers of fields are those of `onnx.proto`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace

FLOAT, INT64 = 1, 7


def tiny_model(
    folder: Path,
    words: Mapping[str, Sequence[float]],
    *,
    name: str = "model.onnx",
    inputs: Sequence[str] = ("input_ids", "attention_mask"),
    spare: int = 0,
) -> Path:
    """A model that knows these words, all others being zero; `spare` words of its tokenizer are not in its table."""
    vectors = [[0.0] * len(next(iter(words.values()))), *words.values()]
    table = np.array(vectors, np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(_model(table, inputs))
    vocabulary = {word: number for number, word in enumerate(["[UNK]", *words, *(f"spare{n}" for n in range(spare))])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = Lowercase(), Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def _model(table: np.ndarray, inputs: Sequence[str]) -> bytes:
    node = _field(1, b"table") + _field(1, inputs[0].encode()) + _field(2, b"last_hidden_state") + _field(4, b"Gather")
    tensor = b"".join(_field(1, dimension) for dimension in table.shape)
    tensor += _field(2, FLOAT) + _field(8, b"table") + _field(9, table.tobytes())
    graph = _field(1, node) + _field(2, b"tiny") + _field(5, tensor)
    graph += b"".join(_field(11, _value(one, INT64, ("batch", "tokens"))) for one in inputs)
    graph += _field(12, _value("last_hidden_state", FLOAT, ("batch", "tokens", "dimension")))
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, b"") + _field(2, 13))


def _value(name: str, kind: int, axes: Sequence[str]) -> bytes:
    """A tensor that goes in or out; its axes are named and of any length."""
    shape = b"".join(_field(1, _field(2, axis.encode())) for axis in axes)
    return _field(1, name.encode()) + _field(2, _field(1, _field(1, kind) + _field(2, shape)))


def _field(number: int, value: int | bytes) -> bytes:
    """One field of a protocol buffer: a whole number, or bytes with their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    low, rest = value & 127, value >> 7
    return bytes([low]) if not rest else bytes([low | 128]) + _varint(rest)
