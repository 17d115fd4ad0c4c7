"""A drawn county of thousands of nodes: whole, checked, and one mistake in it found."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch.importing.validate import validate
from dispatch.network_files import NetworkFileError, read_network
from harness.grid_county import write_county


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county")
    write_county(folder, 60)
    return folder


def test_a_county_of_thousands_of_nodes_is_sound(county: Path):
    seen: list[tuple[str, int]] = []

    files = read_network(county, on_rows=lambda table, count: seen.append((table, count)))
    report = validate(files)

    assert report.is_good(strict=True), report.findings
    assert (3600, 50, 60 * 20) == tuple(report.summary[key] for key in ("nodes", "units", "trips"))
    assert ("timetable.csv", 5000) in seen


def test_one_wrong_row_of_thousands_is_named(county: Path, tmp_path: Path):
    for path in county.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    rows = (tmp_path / "edges.csv").read_text(encoding="utf-8").splitlines()
    rows[4000] = rows[4000].replace(",county,0,", ",county,2,")
    (tmp_path / "edges.csv").write_text("\n".join(rows), encoding="utf-8")

    with pytest.raises(NetworkFileError) as refused:
        read_network(tmp_path)

    assert refused.value.problems == ("edges.csv line 4001: oneway is '2'; give 0 or 1",)
