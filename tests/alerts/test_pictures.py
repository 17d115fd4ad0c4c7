"""Renditions: small, upright, bare of what the camera wrote, and no picture can fill the memory."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from alerts.pictures import NOTICE_BYTES_MAX, POSTER_BYTES_MAX, Renditions, renditions, trouble_with
from harness.pictures import CAMERA, TURNED_RIGHT, bomb, photo


def made(taken: bytes) -> Renditions:
    """The renditions of a photo that is good."""
    found = renditions(taken)
    assert isinstance(found, Renditions), found
    return found


def test_the_notice_photo_stays_under_its_bound_for_the_noisiest_picture() -> None:
    notice = made(photo((1500, 2000), noise=True)).notice

    assert len(notice) <= NOTICE_BYTES_MAX
    with Image.open(BytesIO(notice)) as opened:
        assert (opened.format, opened.height > 200) == ("WEBP", True)


def test_the_poster_s_photo_stays_under_its_bound_for_the_noisiest_picture() -> None:
    assert len(made(photo((1500, 2000), noise=True)).poster) <= POSTER_BYTES_MAX


def test_nothing_that_the_camera_wrote_is_left() -> None:
    taken = photo()
    assert CAMERA.encode() in taken, "Else this test shows nothing."

    for rendition in made(taken):
        assert CAMERA.encode() not in rendition
        with Image.open(BytesIO(rendition)) as opened:
            assert dict(opened.getexif()) == {}


def test_a_photo_taken_upright_is_turned_upright() -> None:
    with Image.open(BytesIO(made(photo((1200, 900), orientation=TURNED_RIGHT)).poster)) as opened:
        top, bottom = (
            opened.getpixel((opened.width // 2, 10)),
            opened.getpixel((opened.width // 2, opened.height - 10)),
        )

        assert opened.height > opened.width
        assert isinstance(top, tuple)
        assert isinstance(bottom, tuple)
        assert (top[0] > 200, bottom[2] > 200) == (True, True)


@pytest.mark.parametrize(
    ("taken", "trouble"),
    [
        (bomb(), "too_many_pixels"),
        (photo()[:3000], "unreadable"),
        (b"GIF89a", "unreadable"),
        (b"", "unreadable"),
        (photo(), ""),
    ],
    ids=["bomb", "cut off", "another format", "nothing", "good"],
)
def test_what_is_no_usable_picture_is_refused(taken: bytes, trouble: str) -> None:
    assert trouble_with(taken) == trouble
