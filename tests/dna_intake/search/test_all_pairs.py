"""All against all finds what each child's own search finds, and goes on where it was stopped."""

from __future__ import annotations

import numpy as np
import pytest

from dna_intake.search import Index, Query, SearchRefused, all_against_all, parents_of
from harness.search_families import LOCI, STRANGE, Profile, child_of, kinship, people, person

PANEL = kinship().panel


def world() -> tuple[Index, Index, dict[int, Profile]]:
    """60 fathers, a child each (ids from 1000, not in order); rare alleles and missing loci on both sides."""
    rng = np.random.default_rng(1)
    fathers = people(rng, 60)
    for place in range(0, 60, 4):
        del fathers[place][LOCI[place % 23]]
        fathers[place][LOCI[(place + 2) % 23]] = (STRANGE, "12")
    children = [child_of(rng, father, person(rng), place % 3) for place, father in enumerate(fathers)]
    for place in range(0, 60, 6):
        children[place][LOCI[(place + 2) % 23]] = (STRANGE, "12")
    parents, young = Index(PANEL, "parents"), Index(PANEL, "children")
    parents.append(PANEL.encode(fathers[:50]), range(50), ["male", "female"] * 25)
    parents.append(PANEL.encode(fathers[50:]), range(50, 60))
    ids = [1000 + (7 * place) % 60 for place in range(60)]
    young.append(PANEL.encode(children[:20]), ids[:20])
    young.append(PANEL.encode(children[20:]), ids[20:])
    return young, parents, dict(zip(ids, children, strict=True))


def test_it_finds_what_every_childs_own_search_finds() -> None:
    young, parents, children = world()

    found = [lead for batch in all_against_all(young, parents, kinship(), batch=16) for lead in batch.leads]

    expected = {
        (row, lead.row_id): lead.log10_lr
        for row, child in children.items()
        for lead in parents_of(parents, kinship(), Query(child), complete=False).leads
    }
    assert len(expected) > 40
    assert set(expected) == {(lead.child, lead.parent) for lead in found}
    for lead in found:
        assert lead.log10_lr == pytest.approx(expected[lead.child, lead.parent], abs=1e-9)


def test_it_resumes_from_a_cursor_after_a_rebuild_in_another_order() -> None:
    young, parents, children = world()
    whole = [lead for batch in all_against_all(young, parents, kinship(), batch=16) for lead in batch.leads]
    run = all_against_all(young, parents, kinship(), batch=16)
    before = [next(run), next(run)]
    rebuilt = Index(PANEL, "children")
    for row in sorted(children, reverse=True):
        rebuilt.append(PANEL.encode([children[row]]), [row])

    after = list(all_against_all(rebuilt, parents, kinship(), cursor=before[-1].cursor, batch=16))

    assert whole == [lead for batch in (*before, *after) for lead in batch.leads]
    assert [16 / 60, 32 / 60, 48 / 60, 1.0] == [batch.progress for batch in (*before, *after)]
    assert 16 * 60 == before[0].pairs
    assert [] == list(all_against_all(rebuilt, parents, kinship(), cursor=after[-1].cursor))


def test_more_leads_than_the_buffer_holds_are_all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    young, parents, _ = world()
    whole = list(all_against_all(young, parents, kinship()))

    monkeypatch.setattr("dna_intake.search.all_pairs.PAIRS_ROOM", 3)

    assert whole == list(all_against_all(young, parents, kinship()))


def test_removed_people_take_no_part() -> None:
    young, parents, _ = world()
    young.remove([1000])
    parents.remove([0, 7])

    leads = [lead for batch in all_against_all(young, parents, kinship()) for lead in batch.leads]

    assert 1000 not in {lead.child for lead in leads}
    assert not {0, 7} & {lead.parent for lead in leads}


def test_too_many_mismatches_are_refused() -> None:
    young, parents, _ = world()

    with pytest.raises(SearchRefused, match="takes 0 to 3"):
        next(all_against_all(young, parents, kinship(), mismatches=4))
