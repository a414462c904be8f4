"""Takes a port, so that it is ours before anybody is told of it."""

from __future__ import annotations

import errno
import os
import socket

from dummyllm.web.access import is_loopback

BACKLOG = 2048
PORT_MAX = 65_535

# Where a client on this machine finds a server that listens on every interface.
_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on *port* of *host*, port 0 being any free one; raise OSError if none can be had."""
    first_error: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    ):
        listener = socket.socket(family, kind, protocol)
        try:
            _bind(listener, address)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE:
                raise
            first_error = first_error or error  # `localhost` may name an IPv6 address on a machine without IPv6
        else:
            return listener
    assert first_error is not None, f"{host!r} has no address, and no error"
    raise first_error


def _bind(listener: socket.socket, address: tuple[object, ...]) -> None:
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a restart waits out old connections
    if listener.family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(address)
    listener.listen(BACKLOG)  # two sockets may be bound to one port, but only one may listen
    listener.setblocking(False)


def why_not(error: OSError, host: str, port: int) -> str:
    """Return one line about why there is no listening on *port* of *host*, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; choose another with --port, or any free one with --port 0"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {port} of {host} is not for this user; choose one above 1023, or any free one with --port 0"
    reason = error.strerror or str(error)
    return f"cannot listen on {host!r}: {reason}; --host takes an address of this machine, such as 127.0.0.1"


def url_of(listener: socket.socket) -> str:
    """Return the URL at which a client on this machine finds *listener*."""
    address, port = listener.getsockname()[:2]
    address = _LOOPBACK_OF.get(address, address)
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def is_local(listener: socket.socket) -> bool:
    """Say whether only this machine can reach *listener*."""
    return is_loopback(listener.getsockname()[0])
