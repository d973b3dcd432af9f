"""Which addresses a redirect may never lead to."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources.web.addresses import is_public

PUBLIC = (
    *("1.1.1.1", "8.8.8.8", "93.184.215.14", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1"),
    *("169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255"),
    *("192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "168.63.129.15", "168.63.129.17"),
    *("2600:1f18::1", "2a00:1450:4001:81b::200e", "2001:4860:4860::8888", "2001:200::1", "2606:4700::1111"),
    *("64:ff9b::8.8.8.8", "64:ff9b::101:101"),
)
NOT_PUBLIC = (
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1"),
    *("169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255"),
    *("192.0.0.1", "192.0.0.8", "192.0.0.9", "192.0.0.170", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.31.196.1"),
    *("198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1"),
    *("255.255.255.255", "168.63.129.16"),
    *("::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:0:1.2.3.4"),
    *("64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::a83f:8110", "64:ff9b:1::1"),
    *("64:ff9b:1:ffff::8.8.8.8", "64:ff9b::1:0:0"),
    *("2002:7f00:1::", "2002:808:808::1", "2001::1", "2001:0:4136:e378::", "2001:2::1", "2001:10::1", "2001:20::1"),
    *("2001:db8::1", "3fff::1", "2620:4f:8000::1", "100::1", "fc00::1", "fd00:ec2::254", "fdff::1"),
    *("fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "5f00::1", "4000::1"),
    *("", "localhost", "1", "127.1", "0x7f.1", "0177.0.0.1", "2130706433", "127.0.0.1 ", "[::1]", "1.2.3.4:80", "::g"),
)
PRIVATE = ("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16", "100.64.0.0/10", "224.0.0.0/3")


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_of_anything_else_is_not(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses())
def test_nothing_is_public_that_python_knows_to_be_private(ip: IPv4Address | IPv6Address) -> None:
    if is_public(str(ip)) and ip not in ip_network("64:ff9b::/96"):
        assert ip.is_global
        assert not ip.is_multicast


@given(st.sampled_from(PRIVATE).flatmap(lambda block: st.ip_addresses(network=block)))
def test_a_private_address_is_not_public_in_any_disguise(ip: IPv4Address) -> None:
    number = int(ip)
    disguises = (
        number,
        0xFFFF << 32 | number,
        int(ip_address("64:ff9b::")) | number,
        int(ip_address("64:ff9b:1::")) | number,
        0x2002 << 112 | number << 80,
        0x2001 << 112 | (number ^ 0xFFFFFFFF),
    )
    assert not is_public(str(ip))
    assert not any(is_public(str(IPv6Address(disguise))) for disguise in disguises)


@given(st.text(alphabet="0123456789abcdef.:%x/[]", max_size=40))
def test_no_text_is_public_that_is_no_address(text: str) -> None:
    try:
        is_one = bool(ip_address(text))
    except ValueError:
        is_one = False
    assert is_one or not is_public(text)
