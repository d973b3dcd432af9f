"""A name server on loopback, over UDP and TCP, that answers for TXT records as it is told."""

import socketserver
import threading
from typing import Any, Self

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


class NameServer:
    """Every name that it has no record of does not exist.

    Attributes:
        texts: what stands at each name; records that are longer than a string are cut.
        aliases: where each of these names points (CNAME).
        rcode: answers everything with this error.
        short: answers over UDP are cut off, so that TCP must be used.
        asked: each name that was asked for, with the way.
    """

    def __init__(self, **texts: str) -> None:
        self.texts: dict[str, list[str]] = {name: [text] for name, text in texts.items()}
        self.aliases: dict[str, str] = {}
        self.rcode = dns.rcode.NOERROR
        self.short = False
        self.asked: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        self._servers: list[socketserver.BaseServer] = []
        answer = self._answer

        class OverTcp(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                size = int.from_bytes(self.rfile.read(2))
                reply = answer(self.rfile.read(size), "tcp")
                self.wfile.write(len(reply).to_bytes(2) + reply)

        class OverUdp(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                query, socket = self.request
                socket.sendto(answer(query, "udp"), self.client_address)

        tcp, udp = _one_port(OverTcp, OverUdp)
        self._servers = [tcp, udp]
        self.address = f"127.0.0.1:{tcp.server_address[1]}"
        self._threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in self._servers]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            thread.join(10)
            server.server_close()

    def _answer(self, wire: bytes, way: str) -> bytes:
        query = dns.message.from_wire(wire)
        reply = dns.message.make_response(query)
        reply.set_rcode(self.rcode)
        reply.flags |= dns.flags.RA
        name = query.question[0].name.to_text(omit_final_dot=True)
        self.asked.append((name, way))
        if self.rcode != dns.rcode.NOERROR:
            return reply.to_wire()
        if self.short and way == "udp":
            reply.flags |= dns.flags.TC
            return reply.to_wire()
        while name in self.aliases:
            reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{self.aliases[name]}."))
            name = self.aliases[name]
        if name not in self.texts:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif self.texts[name]:
            reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "TXT", *map(_quoted, self.texts[name])))
        return reply.to_wire()


def _quoted(text: str) -> str:
    return " ".join('"' + text[start : start + 255].replace('"', '\\"') + '"' for start in range(0, len(text) or 1, 255))


def _one_port(over_tcp: Any, over_udp: Any) -> tuple[socketserver.TCPServer, socketserver.UDPServer]:
    """Both on one port: a port that is free for the one may be taken for the other."""
    while True:
        tcp = socketserver.TCPServer(("127.0.0.1", 0), over_tcp)
        try:
            return tcp, socketserver.UDPServer(tcp.server_address, over_udp)
        except OSError:
            tcp.server_close()
