"""What phone pages share: a policy that allows exactly their style and script, packed where the phone takes it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re

from fastapi import Request

from guitu.phone import Kit

KIT = Kit(".own{color:red}")


def asked(encoding: str = "") -> Request:
    headers = [(b"accept-encoding", encoding.encode())]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers})


def hash_of(text: bytes) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text).digest()).decode()


def test_the_policy_names_the_style_that_is_in_the_page_and_nothing_unsafe() -> None:
    policy = KIT.headers["Content-Security-Policy"]

    assert f"style-src '{hash_of(str(KIT.style).encode())}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert KIT.style.endswith(".own{color:red}")


def test_the_script_is_the_one_that_the_page_expects() -> None:
    plain, packed = KIT.script_file(asked()), KIT.script_file(asked("gzip, br"))

    assert KIT.integrity == hash_of(bytes(plain.body))
    assert plain.body == gzip.decompress(packed.body)
    assert "immutable" in plain.headers["cache-control"]


def test_a_page_is_packed_for_who_takes_it() -> None:
    html = "<p>归途</p>" * 200

    packed = KIT.page(html, 200, asked("gzip"))
    plain = KIT.page(html, 200, asked())

    assert html == gzip.decompress(packed.body).decode()
    assert ("gzip", str(len(packed.body))) == (
        packed.headers["content-encoding"],
        packed.headers["content-length"],
    )
    assert html == bytes(plain.body).decode()
    assert "content-encoding" not in plain.headers


def test_packed_pages_leave_room_for_the_photo() -> None:
    """25 KB with a photo of 14: what is left is for words, style and script."""
    script = len(KIT.script_file(asked("gzip")).body)
    style = len(gzip.compress(str(KIT.style).encode()))

    assert script + style < 6_000


def test_the_script_asks_nobody_else_and_writes_no_markup() -> None:
    script = KIT.script.decode()

    assert not re.search(r"https?://|innerHTML|eval\(|document\.write", script)
