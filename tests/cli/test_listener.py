"""The port is taken before anybody is told of it; when it cannot be had, one line says why and what to do."""

from __future__ import annotations

import errno
import socket

import pytest

from dummyllm.cli.listener import is_local, listen, url_of, why_not


def test_port_0_is_any_free_port() -> None:
    """The URL has the real one."""
    with listen("127.0.0.1", 0) as first, listen("127.0.0.1", 0) as second:
        assert url_of(first) != url_of(second)
        assert url_of(first) == f"http://127.0.0.1:{first.getsockname()[1]}"


def test_a_client_can_connect_as_soon_as_the_url_is_known() -> None:
    """Whoever connects before the first request is read waits in the queue, and is not refused."""
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname(), timeout=5) as client:
        assert client.getpeername() == listener.getsockname()


def test_a_port_in_use_cannot_be_had() -> None:
    """Two servers never share a port."""
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(OSError, match="in use") as refused:
            listen("127.0.0.1", port)
    assert why_not(refused.value, "127.0.0.1", port) == (
        f"port {port} of 127.0.0.1 is in use; choose another with --port, or any free one with --port 0"
    )


def test_a_port_is_free_again_at_once() -> None:
    """A restart does not wait for connections of the last run to be forgotten."""
    with listen("127.0.0.1", 0) as listener:
        address = listener.getsockname()
        listener.setblocking(True)
        with socket.create_connection(address, timeout=5) as client:
            server_side, _ = listener.accept()
            server_side.close()  # the side that closes first is the one that is remembered
            assert client.recv(1) == b""
    with listen(*address) as again:
        assert again.getsockname() == address


def test_every_interface_is_found_at_loopback() -> None:
    """0.0.0.0 is no address to connect to, and no name that the Host rule allows."""
    with listen("0.0.0.0", 0) as listener:
        assert url_of(listener).startswith("http://127.0.0.1:")
        assert not is_local(listener)


@pytest.mark.parametrize(("host", "start"), [("127.0.0.1", "http://127.0.0.1:"), ("127.0.0.2", "http://127.0.0.2:")])
def test_loopback_is_local(host: str, start: str) -> None:
    """All of 127.0.0.0/8 is this machine."""
    with listen(host, 0) as listener:
        assert is_local(listener)
        assert url_of(listener).startswith(start)


def test_localhost_is_some_loopback_address() -> None:
    """IPv6 or IPv4, whichever this machine has."""
    with listen("localhost", 0) as listener:
        assert is_local(listener)


def test_an_address_of_another_machine_cannot_be_had() -> None:
    """The reason is the system's, the advice ours."""
    with pytest.raises(OSError, match="assign") as refused:
        listen("192.0.2.1", 0)
    assert why_not(refused.value, "192.0.2.1", 0) == (
        "cannot listen on '192.0.2.1': Cannot assign requested address; "
        "--host takes an address of this machine, such as 127.0.0.1"
    )


def test_a_port_of_the_system_is_named_as_such() -> None:
    """Ports below 1024 are for root on most systems."""
    refused = PermissionError(errno.EACCES, "Permission denied")
    assert why_not(refused, "127.0.0.1", 80) == (
        "port 80 of 127.0.0.1 is not for this user; choose one above 1023, or any free one with --port 0"
    )
