"""The network side of the workload: packets with their headers, fired as `ip:::` and `tcp:::`.

Headers are objects with the members of illumos' structures, in network byte order, as they lie in memory there. Left
out: IPv6, the contents of segments, retransmission. Follows `ipha_t`, `tcph_t` and `tcp_t`.
"""

from random import Random
from typing import TYPE_CHECKING

from smartos.idle_node import calls
from smartos.idle_node.cast import Process
from smartos.probes import declare

if TYPE_CHECKING:
    from smartos.idle_node.machine import Node

_IP = ("mblk_t *", "conn_t *", "void_ip_t *", "__dtrace_ipsr_ill_t *", "ipha_t *", "ip6_t *", "int")
_TCP = ("mblk_t *", "ip_xmit_attr_t *", "void_ip_t *", "tcp_t *", "tcph_t *")
IP = {
    "send": declare("ip:ip:ire_send_wire_v4:send", *_IP),
    "receive": declare("ip:ip:ill_input_short_v4:receive", *_IP),
}
TCP = {
    "send": declare("tcp:ip:tcp_output:send", *_TCP),
    "receive": declare("tcp:ip:tcp_input_data:receive", *_TCP),
    "accept-established": declare("tcp:ip:tcp_input_data:accept-established", *_TCP),
}
ACK, PUSH = 0x10, 0x08
_HEADERS = 40


class Header:
    """A structure by its C name and members."""

    def __init__(self, ctype: str, **members: object) -> None:
        self.ctype = ctype
        self.__dict__.update(members)


def swapped(value: int, size: int = 2) -> int:
    """A number as a little-endian machine reads it from network order."""
    return int.from_bytes(value.to_bytes(size, "big"), "little")


def address(*parts: int) -> int:
    """An IPv4 address as `ipaddr_t` holds it."""
    return int.from_bytes(bytes(parts), "little")


def _mapped(ip: int) -> Header:
    return Header("in6_addr_t", _S6_un={"_S6_u8": bytes(10) + b"\xff\xff" + ip.to_bytes(4, "little")})


class Connection:
    """A TCP connection of a server's process, from its acceptance on."""

    def __init__(self, chance: Random, port: int, pid: int) -> None:
        self.local = address(10, 88, 88, 2 + pid % 60)
        self.remote = address(10, 88, 88, 100 + chance.randrange(100))
        self.port, self.far = port, 32768 + chance.randrange(28000)
        self.ident = chance.randrange(1 << 16)
        self.sent, self.got = chance.randrange(1 << 31), chance.randrange(1 << 31)
        self.ill = Header("ill_t", ill_name="e1000g0", ill_ipst={"ips_netstack": {"netstack_stackid": 0}})
        self.xmit = Header("ip_xmit_attr_t", ixa_conn_id=pid, ixa_cpid=pid, ixa_zoneid=0)
        ports = {"connu_ports": {"connu_fport": swapped(self.far), "connu_lport": swapped(port)}}
        ends = {"connua_laddr": _mapped(self.local), "connua_faddr": _mapped(self.remote)}
        conn = Header("conn_t", conn_ipversion=4, u_port=ports, connua_v6addr=ends, conn_cpid=pid)
        self.tcp = Header("tcp_t", tcp_state=0, tcp_connp=conn, tcp_mss=1460, tcp_swnd=64240, tcp_rwnd=128480, tcp_cwnd=14600,
                          tcp_saved_listener={"tcp_state": -3})  # fmt: skip

    def accepted(self, node: "Node", thread: Process) -> None:
        """The last packet of the handshake has come."""
        self._fire(node, thread, "receive", 0, ACK, "accept-established")

    def receive(self, node: "Node", thread: Process, size: int) -> None:
        """A segment with so many bytes comes in."""
        self._fire(node, thread, "receive", size, ACK | PUSH, "receive")

    def send(self, node: "Node", thread: Process, size: int) -> None:
        """So many bytes go out, in segments of at most 1460."""
        while size > 0:
            part = min(size, 1460)
            self._fire(node, thread, "send", part, ACK | PUSH * (part == size), "send")
            size -= part

    def _fire(self, node: "Node", thread: Process, way: str, size: int, flags: int, name: str) -> None:
        ip, tcp = IP[way], TCP[name]
        if not any(watched.listeners for probe in (ip, tcp) for watched in (probe, *calls.FBT[calls.function_of(probe)])):
            return
        ours = (self.local, self.port, self.sent, self.got)
        theirs = (self.remote, self.far, self.got, self.sent)
        (source, from_port, seq, ack), (target, to_port, _, _) = (ours, theirs) if way == "send" else (theirs, ours)
        self.ident = self.ident + 1 & 0xFFFF
        header = Header(
            "ipha_t", ipha_version_and_hdr_length=0x45, ipha_length=swapped(_HEADERS + size), ipha_ident=swapped(self.ident),
            ipha_fragment_offset_and_flags=swapped(0x4000), ipha_ttl=64, ipha_protocol=6, ipha_src=source, ipha_dst=target,
        )  # fmt: skip
        segment = Header(
            "tcph_t", th_lport=_bytes(from_port, 2), th_fport=_bytes(to_port, 2), th_seq=_bytes(seq, 4), th_ack=_bytes(ack, 4),
            th_offset_and_rsrvd=[0x50], th_flags=[flags], th_win=_bytes(64240, 2),
        )  # fmt: skip
        if way == "send":
            self.sent = self.sent + size & 0xFFFFFFFF
        else:
            self.got = self.got + size & 0xFFFFFFFF
        self.tcp.__dict__.update(tcp_snxt=self.sent, tcp_rnxt=self.got, tcp_suna=self.sent, tcp_rack=self.got)
        on_ip, on_tcp = (ip, None, None, header, self.ill, header, None, 0), (tcp, None, self.xmit, header, self.tcp, segment)
        if way == "receive":
            with node.inside(thread, calls.PACKET_IN):
                node.tell(thread, on_ip)
                with node.inside(thread, calls.TO_TCP):
                    node.tell(thread, on_tcp)
        else:
            node.tell(thread, on_tcp)
            with node.inside(thread, calls.TO_IP):
                node.tell(thread, on_ip)


def _bytes(value: int, size: int) -> list[int]:
    return list(value.to_bytes(size, "big"))
