"""The directory's files: read whole or refused with every bad row named."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from guitu.service import Runtime
from notifications.directory import DirectoryRefused, read_directory
from notifications.seed import YUNYANG, seed


def copied(to: Path) -> Path:
    place = to / "directory"
    shutil.copytree(YUNYANG, place)
    return place


async def test_yunyang_is_loaded_and_loading_it_again_changes_nothing(
    runtime_for: Callable[[str], Awaitable[Runtime]],
) -> None:
    run = await runtime_for("notifications")

    first, second = await seed(run), await seed(run)

    assert first == second
    assert first["sites"] == await run.pool.fetchval("select count(*) from site") > 100
    assert first["contacts"] == await run.pool.fetchval("select count(*) from contact")


async def test_one_bad_row_imports_nothing_and_is_named_without_the_number(
    runtime_for: Callable[[str], Awaitable[Runtime]], tmp_path: Path
) -> None:
    run = await runtime_for("notifications")
    place = copied(tmp_path)
    contacts = place / "contacts.csv"
    contacts.write_text(contacts.read_text().replace("+447700900001", "07700 900001"))

    with pytest.raises(DirectoryRefused, match=r"contacts\.csv line \d+: phone_e164: .*E\.164") as refused:
        await seed(run, place)

    assert "07700" not in str(refused.value)
    assert await run.pool.fetchval("select count(*) from site") == 0


def test_every_kind_of_bad_row_is_reported_at_once(tmp_path: Path) -> None:
    place = copied(tmp_path)
    sites = (place / "sites.csv").read_text().splitlines()
    sites[1] = sites[1].replace("30.93", "95")
    sites[2] += ",extra"
    (place / "sites.csv").write_text("\n".join([*sites, sites[3]]))

    with pytest.raises(DirectoryRefused) as refused:
        read_directory(place)

    said = str(refused.value)
    assert "sites.csv line 2: lat" in said
    assert "sites.csv line 3: 9 columns" in said
    assert "is there twice" in said
    assert "names site" in said


def test_a_missing_file_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(DirectoryRefused, match=r"sites\.csv is missing"):
        read_directory(tmp_path)
