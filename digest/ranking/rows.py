"""Papers as rows of numbers, with a column for each word of a vocabulary; and how an edition's rows are stored."""

import struct
import zlib
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Rows = Any
"""A scipy CSR array of float32: a row for each paper, a column for each word, each row of length 1 (or 0)."""

_CHECKSUM = struct.Struct("<I")
_HEAD = struct.Struct("<4sIII")
_MAGIC = b"ROW1"


def rows_to_bytes(rows: Rows) -> bytes:
    """As they are stored, with a checksum: four bytes a number, which no compression makes much shorter."""
    body = _HEAD.pack(_MAGIC, *rows.shape, rows.nnz) + packed(rows)
    return _CHECKSUM.pack(zlib.crc32(body)) + body


def rows_from_bytes(stored: bytes) -> Rows:
    """Raises ValueError for what `rows_to_bytes` did not write."""
    body = memoryview(stored)[_CHECKSUM.size :]
    if len(body) < _HEAD.size or stored[: _CHECKSUM.size] != _CHECKSUM.pack(zlib.crc32(body)):
        raise ValueError("stored rows are not whole")
    magic, count, words, values = _HEAD.unpack_from(body)
    if magic != _MAGIC:
        raise ValueError("stored rows have a format that is not known")
    return unpacked(body[_HEAD.size :], count, words, values)


def packed(rows: Rows) -> bytes:
    """The numbers alone: how many there are in each row, their columns, and the weights with half precision."""
    lengths, columns, weights = np.diff(rows.indptr).astype("<u2"), rows.indices.astype("<u2"), rows.data.astype("<f2")
    return b"".join((lengths.tobytes(), columns.tobytes(), weights.tobytes()))


def unpacked(body: bytes | memoryview, count: int, words: int, values: int) -> Rows:
    """So many rows with so many columns and values in all. Raises ValueError where that is not what `packed` wrote."""
    if len(body) != 2 * count + 4 * values:
        raise ValueError("stored rows are cut, or too long")
    lengths = np.frombuffer(body, "<u2", count)
    columns = np.frombuffer(body, "<u2", values, 2 * count).astype(np.int32)
    weights = np.frombuffer(body, "<f2", values, 2 * count + 2 * values).astype(np.float32)
    ends = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))).astype(np.int32)
    if ends[-1] != values or (values and columns.max() >= words) or not np.isfinite(weights).all():
        raise ValueError("the columns or weights of stored rows do not fit together")
    return sp.csr_array((weights, columns, ends), shape=(count, words))


def unit_rows(values: NDArray[np.float32], indices: NDArray[np.int32], ends: NDArray[np.int32], width: int) -> Rows:
    """Rows brought to length 1; an empty one stays. Values are such as a half-precision number holds, as they are stored."""
    lengths = np.diff(ends)
    row_of = np.repeat(np.arange(len(lengths)), lengths)
    norms = np.sqrt(np.bincount(row_of, values.astype(np.float64) ** 2, len(lengths)))
    unit = (values / norms[row_of]).astype(np.float16).astype(np.float32)
    return sp.csr_array((unit, indices, ends), shape=(len(lengths), width))
