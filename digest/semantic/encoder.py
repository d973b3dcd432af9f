"""A sentence model in ONNX, run on the processor. The weights are the operator's; nothing is ever downloaded."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digest.errors import ConfigurationError

MAX_TOKENS = 128
"""Of a text; what follows is cut off. So MiniLM was trained, and a title and half an abstract say what a paper is about."""
BATCH_TOKENS = 256
"""Padded tokens that are run at once: on a processor more of them take more memory and no less time."""
TOKENIZED_AT_ONCE = 1024
"""Texts whose tokens are held at once."""
THREADS = 1
MODELS = ("model.onnx", "model_quantized.onnx")
INPUTS = {"input_ids", "attention_mask", "token_type_ids"}
EXTRA = "in the checkout: pip install '.[semantic]'"
WEIGHTS = "ranking.semantic names a folder with model.onnx and tokenizer.json of a sentence model: docs/how-to/semantic.md"


class Encoder:
    """Turns texts into directions: texts that mean much the same point much the same way.

    The model is one whose tokens are averaged (all-MiniLM-L6-v2 and its kin; sentence-transformers calls it mean pooling). It
    is not for two threads at once.
    """

    model: str
    """A name for these weights: vectors of two names never mix."""

    def __init__(self, folder: Path, *, threads: int = THREADS) -> None:
        """Find the model in this folder: `model.onnx`, `model_quantized.onnx` or the only `.onnx` there, and `tokenizer.json`.
        It is read when it is first used, so that who needs its name alone does not pay for it.

        Raises:
            ConfigurationError: the extra is not installed, or there are no such files.
        """
        for library in ("onnxruntime", "tokenizers"):
            if find_spec(library) is None:
                raise ConfigurationError(f"{library} is not installed, so that no sentence model can be used", fix=EXTRA)
        self._folder, self._threads = folder, threads
        self._weights, self._vocabulary = _files_of(folder)
        self.model = _name_of(self._weights, self._vocabulary)

    @cached_property
    def dimension(self) -> int:
        """How many numbers a vector has.

        Raises:
            ConfigurationError: it is no such model.
        """
        return int(self._run([self._tokenizer.encode("what a paper is about").ids]).shape[1])

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self._threads, 1
        options.log_severity_level = 4  # what goes wrong is raised; nothing is written past our own log
        providers = ["CPUExecutionProvider"]
        return self._tried(lambda: onnxruntime.InferenceSession(self._weights, options, providers=providers))

    @cached_property
    def _wants(self) -> set[str]:
        inputs = {one.name for one in self._session.get_inputs()}
        if "input_ids" not in inputs or not inputs <= INPUTS:
            raise self._no_model(f"it wants {', '.join(sorted(inputs))}, not {', '.join(sorted(INPUTS))}")
        return inputs

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = self._tried(lambda: Tokenizer.from_file(str(self._vocabulary)))
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        return tokenizer

    def encode(self, texts: Sequence[str], done: Callable[[int], None] = lambda _texts: None) -> NDArray[np.float32]:
        """The meanings of texts: (texts, dimension), each row of length 1.

        Args:
            texts: each is cut after `MAX_TOKENS` tokens.
            done: told now and then how many more texts are done.

        Raises:
            ConfigurationError: it is no such model, or its tokenizer is of another one.
        """
        found = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), TOKENIZED_AT_ONCE):
            tokens = self._tokenizer.encode_batch_fast(list(texts[start : start + TOKENIZED_AT_ONCE]))
            for places in batches([len(one.ids) for one in tokens]):
                found[[start + place for place in places]] = self._run([tokens[place].ids for place in places])
                done(len(places))
        return found

    def _run(self, tokens: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The mean of what the model makes of each text's tokens, of length 1."""
        longest = max(1, *map(len, tokens))
        ids = np.zeros((len(tokens), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, one in enumerate(tokens):
            ids[row, : len(one)], mask[row, : len(one)] = one, 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        wants = self._wants
        states = self._tried(lambda: self._session.run(None, {name: given[name] for name in wants})[0])
        if states.ndim != 3 or states.shape[:2] != ids.shape:
            raise self._no_model(f"its first output is of shape {states.shape}, not (texts, tokens, dimension)")
        means = (mask[:, None, :].astype(np.float32) @ states.astype(np.float32, copy=False))[:, 0, :]
        if not np.isfinite(means).all():
            raise self._no_model("what it gives is no number")
        return np.asarray(means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9), dtype=np.float32)

    def _tried(self, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except Exception as error:  # noqa: BLE001  (these libraries raise Exception itself, and classes they do not export)
            raise self._no_model(" ".join(str(error).split())[:200]) from None

    def _no_model(self, why: str) -> ConfigurationError:
        return ConfigurationError(f"{self._folder} holds no sentence model that can be used: {why}", fix=WEIGHTS)


def batches(lengths: Sequence[int], most: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Places of texts by length, so that little is padded: each batch, padded to its longest, has at most `most` tokens or is
    one text."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: (lengths[place], place)):
        if batch and (len(batch) + 1) * lengths[place] > most:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _files_of(folder: Path) -> tuple[Path, Path]:
    if not folder.is_dir():
        raise ConfigurationError(f"there is no folder {folder}", fix=WEIGHTS)
    found = [folder / name for name in MODELS if (folder / name).is_file()][:1] or sorted(folder.glob("*.onnx"))
    if len(found) != 1:
        raise ConfigurationError(f"{folder} holds {'several models' if found else 'no model'}, *.onnx", fix=WEIGHTS)
    vocabulary = folder / "tokenizer.json"
    if not vocabulary.is_file():
        raise ConfigurationError(f"{folder} holds no tokenizer.json", fix=WEIGHTS)
    return found[0], vocabulary


def _name_of(weights: Path, vocabulary: Path) -> str:
    """The weights' file name and a hash of all that decides what they give: a model may keep its numbers in files beside it."""
    digest = hashlib.sha256()
    for path in (*sorted(weights.parent.glob(f"{weights.stem}*")), vocabulary):
        if path.is_file():
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"{weights.stem[:60]}-{digest.hexdigest()[:12]}"
