"""The index: appended and removed profiles are as if built anew; files are whole or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dna_intake.search import Index, IndexRefused, Panel, Query, SearchRefused, open_index, parents_of, save
from dna_intake.search.panel import MISSING, RARE
from harness.search_families import LOCI, STRANGE, Profile, child_of, kinship, people, person, table

PANEL = kinship().panel
POOL = people(np.random.default_rng(3), 60)


def filled(profiles: dict[int, Profile]) -> Index:
    index = Index(PANEL)
    for row, profile in profiles.items():
        index.append(PANEL.encode([profile]), [row], ["male"])
    return index


def answers(index: Index, query: Profile) -> list[tuple[int, float]]:
    found = parents_of(index, kinship(), Query(query), mismatches=7, lr_min=1e-12, leads_max=100)
    return [(lead.row_id, round(lead.log10_lr, 9)) for lead in found.leads]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 59)), max_size=40), st.integers(0, 39))
def test_any_order_of_appends_removals_and_compactions_equals_a_rebuild(
    steps: list[tuple[bool, int]], compact_at: int
) -> None:
    index, living = Index(PANEL), {}
    for number, (adding, row) in enumerate(steps):
        if number == compact_at:
            index.compact()
        if adding and row not in living:
            index.append(PANEL.encode([POOL[row]]), [row], ["male"])
            living[row] = POOL[row]
        elif not adding:
            index.remove([row])
            living.pop(row, None)
    rebuilt = filled(living)
    query = child_of(np.random.default_rng(1), POOL[0], POOL[1])

    assert len(living) == index.profiles == rebuilt.profiles
    assert sorted(answers(rebuilt, query)) == sorted(answers(index, query))


def test_a_removed_profile_leaves_no_bit_behind() -> None:
    index = filled({1: POOL[1], 2: {**POOL[2], LOCI[0]: (STRANGE, "12")}})

    assert 2 == index.remove([1, 2])

    assert all(not segment.bitmaps.any() for segment in index.segments)
    assert all((segment.codes[: segment.count] == MISSING).all() for segment in index.segments)
    assert all(segment.rare == {} for segment in index.segments)


def test_a_search_that_began_sees_nothing_of_what_came_later() -> None:
    index = filled({1: POOL[1]})
    snapshot = index.snapshot()

    index.append(PANEL.encode([POOL[2]]), [2])

    assert 1 == snapshot.profiles
    assert 2 == index.snapshot().profiles
    assert snapshot.generation + 1 == index.snapshot().generation


def test_an_appended_segment_grows_and_keeps_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dna_intake.search.index.APPEND_ROOM", 1)
    codes = PANEL.encode(POOL).codes
    many = np.tile(codes, (150, 1))
    index = filled({1: POOL[1]})
    index.append(type(PANEL.encode([]))(many), np.arange(10, 10 + len(many)))
    index.append(PANEL.encode([POOL[3]]), [5])

    child = Query(child_of(np.random.default_rng(1), POOL[3], POOL[4]))
    found = parents_of(index, kinship(), child)

    assert {5, *range(13, len(many) + 10, 60)} <= {lead.row_id for lead in found.leads}
    assert len(many) + 2 == index.profiles


def test_ids_are_given_once_and_in_range() -> None:
    index = filled({1: POOL[1]})

    with pytest.raises(SearchRefused, match="Row 1 is in the index; remove it first"):
        index.append(PANEL.encode([POOL[1]]), [1])
    with pytest.raises(SearchRefused, match="Row ids are 0 to"):
        index.append(PANEL.encode([POOL[1]]), [2**32])
    with pytest.raises(SearchRefused, match="give one each"):
        index.append(PANEL.encode([POOL[1]]), [4, 5])


def test_a_saved_index_opens_as_it_was_and_takes_more(tmp_path: Path) -> None:
    index = filled(dict(enumerate([*POOL, {**person(np.random.default_rng(5)), "TH01": (STRANGE, "9")}])))
    index.remove([4])
    index.table_sha256 = table().sha256
    query = child_of(np.random.default_rng(1), POOL[0], POOL[1])
    before = answers(index, query)

    save(index, tmp_path / "parents.index")
    opened = open_index(tmp_path / "parents.index", panel=PANEL, table_sha256=table().sha256)

    assert (index.profiles, index.generation, index.role) == (opened.profiles, opened.generation, opened.role)
    assert before == answers(opened, query)
    opened.append(PANEL.encode([query]), [900])
    assert 1 == opened.remove([0])
    assert opened.profiles == index.profiles
    opened.compact()
    assert opened.profiles == index.profiles


@pytest.mark.parametrize(
    "part", ["magic", "version", "header", "codes", "bitmaps", "row_ids", "sexes", "alive"]
)
def test_a_damaged_byte_of_any_part_is_seen(tmp_path: Path, part: str) -> None:
    path = tmp_path / "parents.index"
    index = filled({1: POOL[1]})
    save(index, path)
    hurt = bytearray(path.read_bytes())
    at = {"magic": 3, "version": 8, "header": 100}
    edge = 52 + int.from_bytes(hurt[12:20], "little")
    for name in ("codes", "bitmaps", "row_ids", "sexes", "alive"):
        edge = -(-edge // 4096) * 4096
        at[name] = edge
        edge += getattr(index.segments[0], name).nbytes

    hurt[at[part]] ^= 4
    path.write_bytes(hurt)

    with pytest.raises(IndexRefused, match=r"Build it again|build one"):
        open_index(path)


def test_foreign_cut_off_and_other_files_are_refused_with_the_mend(tmp_path: Path) -> None:
    path = tmp_path / "parents.index"
    save(filled({1: POOL[1]}), path)
    whole = path.read_bytes()

    with pytest.raises(IndexRefused, match="another panel"):
        open_index(path, panel=Panel.of(table().loci, LOCI[:5]))
    with pytest.raises(IndexRefused, match="was made with table"):
        open_index(path, table_sha256="f" * 64)
    path.write_bytes(whole[:-1])
    with pytest.raises(IndexRefused, match="cut off"):
        open_index(path)
    path.write_bytes(b"specimen,role\n")
    with pytest.raises(IndexRefused, match="not an index"):
        open_index(path)


def test_a_profile_takes_at_most_sixty_bytes() -> None:
    index = Index(PANEL)
    codes = np.tile(PANEL.encode(POOL).codes, (2000, 1))[: 14 * 8192]

    index.append(type(PANEL.encode([]))(codes), np.arange(len(codes)))

    assert index.bytes_per_profile <= 60


def test_alleles_in_tenths_have_the_same_codes_as_in_text() -> None:
    profiles = [*POOL, {LOCI[0]: (STRANGE, "11"), "TH01": ("9.3",)}]
    tenths = np.zeros((len(profiles), len(LOCI), 2), np.uint16)
    for place, profile in enumerate(profiles):
        for locus, name in enumerate(LOCI):
            for which, allele in enumerate(profile.get(name, ())):
                tenths[place, locus, which] = round(10 * float(allele))

    packed, written = PANEL.encode_tenths(tenths, LOCI), PANEL.encode(profiles)

    assert (written.codes == packed.codes).all()
    assert {(r.place, r.locus, frozenset(r.alleles)) for r in written.rare} == {
        (r.place, r.locus, frozenset(r.alleles)) for r in packed.rare
    }
    assert RARE == packed.codes[-1, 0]


def test_a_panel_folds_what_does_not_fit_into_a_byte() -> None:
    wide = {"SE33": {str(repeats): 1 / 40 for repeats in range(40)}}

    panel = Panel.of(wide)

    assert 22 == len(panel.alleles[0])
    assert 11 == panel.rows[0]
    batch = panel.encode([{"SE33": ("39", panel.alleles[0][0])}])
    assert len(batch.rare) == (0 if "39" in panel.rank[0] else 1)
    assert 1 == len(panel.encode([{"SE33": ("999",)}]).rare)
