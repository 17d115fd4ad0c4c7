"""Connections of people who are gone: a phone out of reach, a browser that reads no more."""

from __future__ import annotations

import errno
import socket

import pytest

from guitu import service
from guitu.embedded.ports import LOOPBACK


def write_for_ever(to: socket.socket) -> None:
    while True:
        to.sendall(b"data: {}" * 4096)


def test_a_connection_whose_far_side_reads_no_more_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel itself would probe a full window for ever: a live stream would stay open, and its place taken."""
    monkeypatch.setattr(service, "UNREAD_MS_MAX", 1000)
    with service.listener_at(LOOPBACK, 0) as sock, socket.socket() as reads_nothing:
        sock.listen()
        reads_nothing.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reads_nothing.connect(sock.getsockname())
        with sock.accept()[0] as accepted:
            accepted.settimeout(15)

            with pytest.raises(OSError, match="timed out") as refused:
                write_for_ever(accepted)

    assert refused.value.errno == errno.ETIMEDOUT, "It was our own patience that ended."
