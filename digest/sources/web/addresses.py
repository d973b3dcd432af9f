"""Which IP addresses belong to somebody on the public internet, and which to a network, a machine or a cloud of its own."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# The IANA special-purpose registries (RFC 6890), multicast and reserved space, and what clouds answer on for their machines.
# `is_global` alone will not do: it changes with the version of Python, and knows nothing of multicast or of clouds.
_NOT_PUBLIC_4 = tuple(
    ip_network(block)
    for block in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.175.48.0/24"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"),
    )
)
_UNICAST_6 = ip_network("2000::/3")
# Within it: protocol assignments with Teredo and ORCHID, documentation, 6to4, AS112.
_NOT_PUBLIC_6 = tuple(
    ip_network(block) for block in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
_NAT64 = ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether this is the address of a machine on the public internet; what is no address is not.

    IPv6 addresses that carry an IPv4 address are refused, for a gateway might lead them inside; but those of NAT64 (RFC 6052),
    which is all that a network without IPv4 has, count as the address that they carry.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip in _NAT64:
        ip = IPv4Address(int(ip) & 0xFFFFFFFF)
    if isinstance(ip, IPv4Address):
        return not any(ip in block for block in _NOT_PUBLIC_4)
    return ip in _UNICAST_6 and not any(ip in block for block in _NOT_PUBLIC_6)
