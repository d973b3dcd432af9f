"""Who asks: the machine behind trusted proxies, and as what it is counted and written down."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import Request

from digest.tokens import Signer

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
NOBODY: Address = ip_address("::")
"""Where no address is known, as on a socket of the machine itself."""


class Visitors:
    """Tells visitors apart.

    Args:
        proxies: whose X-Forwarded-For is believed; of each chain, the last address that is none of them is the visitor's.
        signer: makes what is counted under, from which no address can be read.
    """

    def __init__(self, proxies: Sequence[Network], signer: Signer) -> None:
        self._proxies, self._signer = proxies, signer

    def address(self, request: Request) -> Address:
        """Of the machine that asks."""
        client = request.client
        at = _parsed(client.host if client else "")
        chain = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        while self._is_proxy(at) and chain:
            said = _parsed(chain.pop())
            if said == NOBODY:
                break
            at = said
        return at

    def is_behind_proxy(self, request: Request) -> bool:
        """Whether a trusted proxy handed the request on."""
        return self._is_proxy(_parsed(request.client.host if request.client else ""))

    def key(self, request: Request) -> str:
        """As what the visitor is counted: his address, or of IPv6 his network of 64 bits, which is one household's."""
        return self._signer.sign("visitor", str(_network(self.address(request), 32, 64)))

    def origin(self, request: Request) -> str:
        """What is kept of it as proof of consent: where from, though not who."""
        return str(_network(self.address(request), 24, 48))

    def _is_proxy(self, at: Address) -> bool:
        return any(at in network for network in self._proxies if network.version == at.version)


def _parsed(text: str) -> Address:
    """An address as proxies write it, perhaps with a port; IPv4 within IPv6 is IPv4."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        at = ip_address(bare.partition("%")[0])
    except ValueError:
        return NOBODY
    return at.ipv4_mapped or at if isinstance(at, IPv6Address) else at


def _network(at: Address, bits: int, bits_of_6: int) -> Network:
    return ip_network((at, bits if at.version == 4 else bits_of_6), strict=False)
