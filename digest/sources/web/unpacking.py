"""Puts the pieces of an HTTP body together, and unpacks them, without ever holding more than a limit."""

import zlib

_STEP = 2**18
"""Bytes that are unpacked at a time: a bomb costs no more than this beyond the limit."""


class TooLarge(Exception):
    """The body is larger than the limit, on the wire or unpacked."""


class Damaged(Exception):
    """The body breaks off, or is not what it should be."""


class Body:
    """A body that comes in piece by piece, at most `limit` bytes of it on the wire and unpacked."""

    def __init__(self, limit: int, *, gzip: bool) -> None:
        self._limit = limit
        self._gzip = _unpacker() if gzip else None
        self._on_the_wire = 0
        self._whole = bytearray()

    def add(self, piece: bytes) -> None:
        """Raises TooLarge, Damaged."""
        self._on_the_wire += len(piece)
        if self._on_the_wire > self._limit:
            raise TooLarge
        if self._gzip is None:
            self._whole += piece
            return
        try:
            self._unpack(piece)
        except zlib.error:
            raise Damaged("the compressed answer is damaged") from None

    def end(self) -> bytes:
        """The whole body. Raises Damaged if it is not whole."""
        if self._gzip and self._on_the_wire and not self._gzip.eof:
            raise Damaged("the compressed answer breaks off")
        return bytes(self._whole)

    def so_far(self) -> bytes:
        """What there is, whole or not."""
        return bytes(self._whole)

    def _unpack(self, piece: bytes) -> None:
        while True:
            assert self._gzip is not None
            # A body may have several members, and padding (RFC 1952 2.2); whatever else follows is no gzip, and damaged.
            if self._gzip.eof:
                piece = piece.lstrip(b"\0")
                if not piece:
                    return
                self._gzip = _unpacker()
            unpacked = self._gzip.decompress(piece, _STEP)
            self._whole += unpacked
            if len(self._whole) > self._limit:
                raise TooLarge
            piece = self._gzip.unused_data if self._gzip.eof else self._gzip.unconsumed_tail
            if not self._gzip.eof and not piece and len(unpacked) < _STEP:
                return


def _unpacker() -> "zlib._Decompress":
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
