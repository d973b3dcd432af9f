"""Asks the DNS for texts: what is published about a sender."""

from ipaddress import ip_address
from typing import TYPE_CHECKING

from digest.errors import ServerUnavailable, UsageError

if TYPE_CHECKING:
    from dns.resolver import Resolver

PATIENCE = 6.0
"""Seconds for one question, over all servers and repeats: somebody is looking on."""


class Texts:
    """Reads TXT records.

    Args:
        server: whom to ask, `192.0.2.53` or `192.0.2.53:5353` or `[2001:db8::53]:5353`; empty: whom this machine asks.

    Raises:
        UsageError: that is no such address.
        ServerUnavailable: this machine knows no name server.
    """

    def __init__(self, server: str = "") -> None:
        from dns.resolver import NoResolverConfiguration, Resolver

        try:
            self._resolver = _resolver(server) if server else Resolver()
        except NoResolverConfiguration:
            raise ServerUnavailable("this machine knows no name server", fix="name one: --resolver 192.0.2.53") from None

    def at(self, name: str) -> list[str]:
        """Every TXT record under a name, its strings joined (RFC 6376 3.6.2.2); aliases are followed. Empty: there is none.

        Raises:
            ServerUnavailable: nobody answered, or with a failure, so nothing is known.
        """
        from dns.exception import DNSException
        from dns.resolver import NXDOMAIN

        try:
            answer = self._resolver.resolve(name, "TXT", raise_on_no_answer=False, lifetime=PATIENCE, search=False)
        except NXDOMAIN:
            return []
        except DNSException as error:
            raise ServerUnavailable(
                f"the DNS does not tell {name}: {str(error).partition(';')[0]}",
                fix="try again, or ask another server: --resolver 192.0.2.53",
            ) from None
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer.rrset or ()]


def _resolver(server: str) -> "Resolver":
    from dns.resolver import Resolver

    with_port = server.startswith("[") or server.count(":") == 1
    host, _, port = server.rpartition(":") if with_port and not server.endswith("]") else (server, "", "53")
    resolver = Resolver(configure=False)
    try:
        resolver.nameservers, resolver.port = [str(ip_address(host[1:-1] if host.startswith("[") else host))], int(port)
    except ValueError:
        raise UsageError(f"{server!r} is no name server's address", fix="write it like 192.0.2.53, or [::1]:5353") from None
    return resolver
