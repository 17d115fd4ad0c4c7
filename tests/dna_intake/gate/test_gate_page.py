"""What docs/gate.md tells offices is so: its receiver takes what we sign and nothing else, its table is the code's."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from dna_intake.domain.gate import GateReason
from dna_intake.settings import DnaSettings
from guitu.webhook_signature import signed_by_all
from harness.ground import repo_root

PAGE = (repo_root() / "docs" / "gate.md").read_text(encoding="utf-8")
SECRET, BODY = "gts_a-secret-of-the-tests", b'{"decision":"clear"}'


def receiver() -> Callable[..., bool]:
    """The function as it stands on the page."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    found: Callable[..., bool] = names["is_ours"]
    return found


def headers(at: datetime | None = None, secrets: tuple[str, ...] = (SECRET,)) -> dict[str, str]:
    signed = signed_by_all(secrets, "d-1", BODY, at or datetime.fromtimestamp(time.time(), UTC))
    return {name.lower(): value for name, value in signed.items()}


def test_the_receiver_of_the_page_takes_what_we_sign_also_while_a_secret_is_replaced() -> None:
    assert receiver()(SECRET, headers(), BODY, set())
    assert receiver()(SECRET, headers(secrets=("gts_the-new-one", SECRET)), BODY, set())


@pytest.mark.parametrize(
    "forged",
    [
        {"x-guitu-signature": "v1=" + "0" * 64},
        {"x-guitu-signature": ""},
        {"x-guitu-signature": "签名"},
        {"x-guitu-delivery": "d-2"},
        {"x-guitu-timestamp": "1"},
    ],
)
def test_it_takes_no_forged_header(forged: dict[str, str]) -> None:
    assert not receiver()(SECRET, headers() | forged, BODY, set())


def test_it_takes_no_changed_body_no_other_secret_no_old_one_and_no_replay() -> None:
    old = datetime.fromtimestamp(time.time(), UTC) - timedelta(minutes=6)

    assert not receiver()(SECRET, headers(), BODY.replace(b"clear", b"hold!"), set())
    assert not receiver()("gts_of_somebody_else", headers(), BODY, set())
    assert not receiver()(SECRET, headers(at=old), BODY, set())
    assert not receiver()(SECRET, headers(), BODY, {"d-1"})


def test_the_receiver_has_ten_lines_or_so() -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)

    assert len([line for line in code.splitlines() if line.strip()]) <= 10


def test_every_reason_of_the_code_is_on_the_page_with_its_time() -> None:
    rows = dict(re.findall(r"^\| `\w+` \| \S+ \| `(\w+)` \|.*\| ([^|]+) \|$", PAGE, flags=re.MULTILINE))
    clocks = DnaSettings().gate_clocks

    assert set(get_args(GateReason)) == set(rows)
    assert f"{clocks.sample.days} days" == rows["sample_awaited"] == rows["sample_lost"]
    assert f"{clocks.profile.days} days" == rows["profile_awaited"] == rows["profile_partial"]
    assert f"{clocks.review.days} days" == rows["lead_under_review"]
    assert f"{clocks.markers.days} days" == rows["more_markers_awaited"]
    assert f"{clocks.comparison.seconds // 60} min" == rows["comparison_awaited"] == rows["families_awaited"]
    assert f"valid {clocks.valid.days * 24} h" in rows["no_relation_found"]
