"""Bodies that come in pieces, compressed or not, whole or not."""

import gzip
import tracemalloc
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources.web.unpacking import Body, Damaged, TooLarge

MIB = 2**20


def unpack(pieces: list[bytes], limit: int = MIB, *, compressed: bool = True) -> bytes:
    body = Body(limit, gzip=compressed)
    for piece in pieces:
        body.add(piece)
    return body.end()


def in_pieces(whole: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(whole) + 1) for cut in cuts), len(whole)]
    return [whole[start:end] for start, end in pairwise(places)]


@given(st.binary(max_size=5000), st.lists(st.integers(0, 10_000), max_size=8), st.integers(0, 9))
def test_a_body_is_the_same_however_it_is_cut_up(whole: bytes, cuts: list[int], level: int) -> None:
    assert unpack(in_pieces(whole, cuts), compressed=False) == whole
    assert unpack(in_pieces(gzip.compress(whole, level), cuts)) == whole


@given(
    st.lists(st.binary(max_size=200), min_size=1, max_size=5), st.lists(st.integers(0, 10_000), max_size=5), st.integers(0, 9)
)
def test_several_members_and_padding_are_one_body(members: list[bytes], cuts: list[int], padding: int) -> None:
    packed = b"".join(gzip.compress(member) for member in members) + bytes(padding)
    assert unpack(in_pieces(packed, cuts)) == b"".join(members)


def test_an_empty_body_is_empty_whatever_its_coding() -> None:
    assert unpack([]) == unpack([b""]) == unpack([], compressed=False) == b""


@given(st.binary(min_size=1, max_size=500), st.integers(1, 10_000))
def test_a_compressed_body_that_breaks_off_is_damaged(whole: bytes, cut: int) -> None:
    packed = gzip.compress(whole)
    with pytest.raises(Damaged, match="breaks off"):
        unpack([packed[: 1 + cut % (len(packed) - 1)]])


@given(st.binary(min_size=1, max_size=300))
def test_noise_is_never_taken_for_a_compressed_body(noise: bytes) -> None:
    with pytest.raises(Damaged):
        unpack([noise if not noise.startswith(b"\x1f\x8b") else b"x" + noise])


def test_a_wrong_checksum_and_what_follows_the_end_are_damage() -> None:
    packed = gzip.compress(b"[1, 2]")
    for damaged in (packed[:-8] + bytes(8), packed + b"more", packed + b"\0\0more"):
        with pytest.raises(Damaged, match="is damaged"):
            unpack([damaged])


def test_the_limit_holds_on_the_wire_and_unpacked_to_the_byte() -> None:
    assert len(unpack([bytes(1000)], 1000, compressed=False)) == 1000
    assert len(unpack([gzip.compress(bytes(1000))], 1000)) == 1000
    for pieces, compressed in (([bytes(1001)], False), ([bytes(600), bytes(401)], False), ([gzip.compress(bytes(1001))], True)):
        with pytest.raises(TooLarge):
            unpack(pieces, 1000, compressed=compressed)


def test_padding_counts_against_the_limit() -> None:
    with pytest.raises(TooLarge):
        unpack([gzip.compress(b"[]"), *([bytes(100)] * 11)], 1000)


@pytest.mark.parametrize("members", [1, 256])
def test_a_bomb_stops_at_the_limit_and_costs_no_more_than_it(members: int) -> None:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    first = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = first + 255 * again if members == 1 else 256 * gzip.compress(bytes(MIB))
    assert len(bomb) < 2 * MIB
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            unpack([bomb[at : at + 65536] for at in range(0, len(bomb), 65536)], 8 * MIB)
        assert tracemalloc.get_traced_memory()[1] < 16 * MIB
    finally:
        tracemalloc.stop()
