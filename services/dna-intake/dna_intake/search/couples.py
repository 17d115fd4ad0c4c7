"""Declared couples: a child against pairs of a father and a mother, and a new couple against all children.

Both parents together leave hardly a stranger (reference: 4e-8 expected in a million couples), so a couple is worth
more than two lone parents. A parent who is not typed at a locus leaves the other one's ratio there.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log10

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dna_intake.search import memory, scan
from dna_intake.search.couple_loops import mark_couples
from dna_intake.search.index import Index, row_ids_of
from dna_intake.search.leads import Found, Lead, Question, best, exact, judged, typed
from dna_intake.search.pair_tables import MARGIN_LOG10, Kinship, Query, QueryTables
from dna_intake.search.panel import MISSING, RARE, Encoded, Panel, Rare, pairs, two_alleles
from dna_intake.search.refusals import SearchRefused
from dna_intake.search.relations import CHILD, PARENT
from dna_intake.search.search import LEADS_MAX, LR_MIN, ROUNDING_LOG10, check_limits, likely
from dna_intake.search.trio_tables import Seen, trio_ratios

WORDS_A_PIECE = 64
CLOSE_LOG10 = 1.5
"""How far off `close` tables may be: two mutations at alleles whose frequency the minimum raises fivefold."""


@dataclass
class _Side:
    """Fathers or mothers."""

    codes: NDArray[np.uint8] = field(repr=False)
    rare: dict[int, list[Rare]] = field(repr=False, default_factory=dict)


class Couples:
    """Couples to be searched, in memory only; 50 bytes each."""

    def __init__(self, panel: Panel, generation: int = 0) -> None:
        self.panel = panel
        self.generation = generation
        self.count = 0
        self.fathers, self.mothers, self.row_ids, self.alive = self._room(0)
        self._lock = threading.RLock()

    @property
    def couples(self) -> int:
        """How many can be found."""
        return int(np.unpackbits(self.alive.view(np.uint8)).sum())

    def append(
        self, fathers: Encoded, mothers: Encoded, row_ids: ArrayLike, generation: int | None = None
    ) -> None:
        """Add couples under row ids of their own.

        Raises: SearchRefused, if an id is there already or the two sides differ in length.
        """
        ids = row_ids_of(row_ids, len(fathers.codes))
        if len(mothers.codes) != len(ids):
            raise SearchRefused(
                f"There are {len(ids)} fathers and {len(mothers.codes)} mothers; give one each."
            )
        with self._lock:
            known = np.isin(self.row_ids[: self.count], ids) & self._living()
            if known.any() or len(np.unique(ids)) < len(ids):
                raise SearchRefused(
                    "A couple's row id is there already, or twice; give each an id of its own."
                )
            first, after = self.count, self.count + len(ids)
            if after > len(self.row_ids):
                self._grow(after)
            for side, batch in ((self.fathers, fathers), (self.mothers, mothers)):
                side.codes[first:after] = batch.codes
                for each in batch.rare:
                    moved = Rare(first + each.place, each.locus, each.alleles, each.dropout)
                    side.rare.setdefault(moved.place, []).append(moved)
            self.row_ids[first:after] = ids
            flags = np.zeros(len(self.row_ids), np.uint8)
            flags[: self.count] = self._living()
            flags[first:after] = 1
            self.alive[:] = np.packbits(flags, bitorder="little").view(np.uint64)
            self.count = after
            self.generation = self.generation + 1 if generation is None else generation

    def remove(self, row_ids: ArrayLike, generation: int | None = None) -> int:
        """Take couples out and wipe them; returns how many were there."""
        with self._lock:
            ids = np.atleast_1d(np.asarray(row_ids, np.int64))
            places = np.flatnonzero(np.isin(self.row_ids[: self.count], ids) & self._living())
            for place in map(int, places):
                self.alive[place // 64] &= ~(np.uint64(1) << np.uint64(place % 64))
                for side in (self.fathers, self.mothers):
                    side.codes[place] = MISSING
                    side.rare.pop(place, None)
            self.generation = self.generation + 1 if generation is None else generation
            return len(places)

    def _living(self) -> NDArray[np.bool_]:
        return np.unpackbits(self.alive.view(np.uint8), bitorder="little")[: self.count].astype(bool)

    def _room(self, couples: int) -> tuple[_Side, _Side, NDArray[np.uint32], NDArray[np.uint64]]:
        words = max(WORDS_A_PIECE, -(-couples // 64))
        loci = len(self.panel.loci)
        return (
            _Side(memory.zeros((words * 64, loci), np.uint8)),
            _Side(memory.zeros((words * 64, loci), np.uint8)),
            memory.zeros((words * 64,), np.uint32),
            memory.zeros((words,), np.uint64),
        )

    def _grow(self, couples: int) -> None:
        old = (self.fathers, self.mothers, self.row_ids, self.alive)
        self.fathers, self.mothers, self.row_ids, self.alive = self._room(max(couples, 2 * len(self.row_ids)))
        for side, before in ((self.fathers, old[0]), (self.mothers, old[1])):
            side.codes[: len(before.codes)] = before.codes
            side.rare = before.rare
        self.row_ids[: len(old[2])] = old[2]
        self.alive[: len(old[3])] = old[3]


@dataclass(frozen=True)
class _Trios:
    """A child's tables over codes of fathers and mothers; see `couple_loops.mark_couples`."""

    table: NDArray[np.float64] = field(repr=False)
    columns: NDArray[np.int64]
    bases: NDArray[np.int64]
    sizes: NDArray[np.int64]
    rest: NDArray[np.float64]


def couples_of(
    couples: Couples,
    kinship: Kinship,
    child: Query,
    *,
    lr_min: float = LR_MIN,
    leads_max: int = LEADS_MAX,
) -> Found:
    """Which couple may be the parents of this child? Every couple is weighed exactly.

    Raises: SearchRefused.
    """
    check_limits(couples.panel, kinship, child, None, lr_min, leads_max)
    count, generation, least = couples.count, couples.generation, log10(lr_min)
    trios = _trios(kinship, child)
    close = CLOSE_LOG10 if kinship.assumed.by_frequency else ROUNDING_LOG10
    places = _marked(couples, count, trios, least - close)
    values = np.array([_value(couples, kinship, child, trios, int(place)) for place in places])
    kept = values >= least if len(values) else np.zeros(0, bool)
    places, values = places[kept], values[kept]
    leads = tuple(
        _lead(couples, kinship.panel, child, int(places[at]), float(values[at]))
        for at in np.argsort(-values, kind="stable")[:leads_max]
    )
    return Found(
        leads=leads,
        mismatches=None,
        over=len(values),
        examined=count,
        computed=count,
        complete=not kinship.assumed.by_frequency,
        beyond_log10=-np.inf,
        generation=generation,
        tables=None,
    )


def children_of_couple(
    index: Index,
    kinship: Kinship,
    father: Query,
    mother: Query,
    *,
    lr_min: float = LR_MIN,
    leads_max: int = LEADS_MAX,
) -> Found:
    """Which child may be this couple's? Every child is weighed exactly.

    Raises: SearchRefused.
    """
    for parent in (father, mother):
        check_limits(index.panel, kinship, parent, None, lr_min, leads_max)
    snapshot, least = index.snapshot(), log10(lr_min)
    question = _of_couple(kinship, father, mother)
    found = [exact(view, question, likely(view, question.tables, least), least) for view in snapshot.views]
    leads, over = best(kinship.panel, question, found, leads_max)
    return Found(
        leads=leads,
        mismatches=None,
        over=over,
        examined=snapshot.profiles,
        computed=snapshot.profiles,
        complete=True,
        beyond_log10=-np.inf,
        generation=snapshot.generation,
        tables=question.tables,
    )


def _seen(query: Query, name: str) -> Seen | None:
    alleles = query.genotypes.get(name)
    return Seen(two_alleles(alleles, name, "of the query"), query.dropout) if alleles else None


def _trios(kinship: Kinship, child: Query) -> _Trios:
    squares: dict[int, NDArray[np.float64]] = {}
    for locus, name in enumerate(kinship.panel.loci):
        seen = _seen(child, name)
        if seen is not None:
            squares[locus] = _square(kinship, locus, child, seen)
    # The loci that tell most apart come first, so that strangers are left early.
    columns = sorted(squares, key=lambda locus: -len(squares[locus]))
    best_values = [max(float(squares[locus].max()), 0.0) for locus in columns]
    rest = np.append(np.cumsum(best_values[::-1])[::-1][1:], 0.0)
    sizes = np.array([len(squares[locus]) for locus in columns])
    return _Trios(
        table=np.concatenate([squares[locus].ravel() for locus in columns]),
        columns=np.array(columns),
        bases=np.concatenate(([0], np.cumsum(sizes**2)[:-1])),
        sizes=sizes,
        rest=rest,
    )


def _square(kinship: Kinship, locus: int, child: Query, seen: Seen) -> NDArray[np.float64]:
    """[father's code, mother's code] of one locus; the last two are rare (bounded) and missing (the other's duo)."""
    coded = kinship.panel.alleles[locus]
    genotypes = [Seen((coded[i], coded[j])) for i, j in pairs(len(coded))]
    a, b = seen.alleles
    own = [Seen((a, a)), Seen((a, b)), Seen((b, b))]
    count = len(genotypes)
    values = trio_ratios(kinship, locus, [*genotypes, *own], [*genotypes, *own], [seen], close=True)[:, :, 0]
    square = np.full((count + 2, count + 2), float(values.max()) + MARGIN_LOG10)
    square[:count, :count] = values[:count, :count]
    father = kinship.row(locus, seen.alleles, child, PARENT, "male")
    mother = kinship.row(locus, seen.alleles, child, PARENT, "female")
    square[:count, count + 1], square[count + 1, :count] = father[:count], mother[:count]
    square[count, count + 1] = father[RARE] + MARGIN_LOG10
    square[count + 1, count] = mother[RARE] + MARGIN_LOG10
    square[count + 1, count + 1] = 0.0
    return square


def _marked(couples: Couples, count: int, trios: _Trios, least: float) -> NDArray[np.int64]:
    words = -(-count // 64)
    pieces = -(-words // WORDS_A_PIECE)
    marks = np.zeros(pieces * WORDS_A_PIECE, np.uint64)
    fathers, mothers, alive = couples.fathers.codes, couples.mothers.codes, couples.alive

    def work(first: int, after: int) -> None:
        low, high = first * WORDS_A_PIECE, min(after * WORDS_A_PIECE, words)
        mark_couples(
            fathers, mothers, trios.table, trios.columns, trios.bases, trios.sizes, trios.rest, least, low, high,
            alive, marks,
        )  # fmt: skip

    scan.spread(pieces, work)
    places = scan.places_of(marks, scan.count_marks(marks), 0)
    return places[places < count]


def _value(couples: Couples, kinship: Kinship, child: Query, trios: _Trios, place: int) -> float:
    """The exact sum of one couple."""
    fathers, mothers = couples.fathers, couples.mothers
    hidden = (
        {r.locus: r for r in fathers.rare.get(place, ())},
        {r.locus: r for r in mothers.rare.get(place, ())},
    )
    total = 0.0
    for at, locus in enumerate(trios.columns.tolist()):
        size = int(trios.sizes[at])
        f, m = int(fathers.codes[place, locus]), int(mothers.codes[place, locus])
        if RARE not in (f, m) and (not kinship.assumed.by_frequency or MISSING in (f, m)):
            f, m = (code - 256 + size if code >= RARE else code for code in (f, m))
            total += float(trios.table[trios.bases[at] + f * size + m])
            continue
        seen = _seen(child, kinship.panel.loci[locus])
        assert seen is not None, "A column is a locus that the child has."
        parents = [_parent(kinship.panel, locus, code, own) for code, own in zip((f, m), hidden, strict=True)]
        total += _locus_value(kinship, locus, child, seen, parents)
    return total


def _parent(panel: Panel, locus: int, code: int, hidden: dict[int, Rare]) -> Seen | None:
    if code == MISSING or (code == RARE and locus not in hidden):
        return None
    if code == RARE:
        return Seen(hidden[locus].alleles, hidden[locus].dropout)
    return Seen(panel.alleles_of(locus, code))


def _locus_value(
    kinship: Kinship, locus: int, child: Query, seen: Seen, parents: Sequence[Seen | None]
) -> float:
    """One locus of a trio, or of a duo where one parent is not typed."""
    father, mother = parents
    if father is not None and mother is not None:
        return float(trio_ratios(kinship, locus, [father], [mother], [seen])[0, 0, 0])
    for parent, sex in ((father, "male"), (mother, "female")):
        if parent is not None:
            return kinship.rare_value(Rare(0, locus, parent.alleles, parent.dropout), child, PARENT, sex)
    return 0.0


def _lead(couples: Couples, panel: Panel, child: Query, place: int, value: float) -> Lead:
    sides = [
        typed(panel, side.codes[place], side.rare.get(place, ()))
        for side in (couples.fathers, couples.mothers)
    ]
    children = {
        locus: two_alleles(child.genotypes[name], name, "of the query")
        for locus, name in enumerate(panel.loci)
        if child.genotypes.get(name)
    }

    def explained(locus: int, alleles: tuple[str, str]) -> bool | None:
        return mendelian(sides[0].get(locus), sides[1].get(locus), alleles)

    inconsistent, compared = judged(panel, explained, children)
    return Lead(int(couples.row_ids[place]), "couple", value, inconsistent, compared)


def mendelian(
    father: tuple[str, str] | None, mother: tuple[str, str] | None, child: tuple[str, str]
) -> bool | None:
    """Can the child have one allele of each without mutation? None if neither parent is typed."""
    if father is None and mother is None:
        return None
    return any(
        (father is None or x in father) and (mother is None or y in mother)
        for x, y in (child, (child[1], child[0]))
    )


def _of_couple(kinship: Kinship, father: Query, mother: Query) -> Question:
    """What a couple asks of every child: one table, as a child's sex makes no difference."""
    panel = kinship.panel
    exact_table = np.zeros((3, len(panel.loci), 256))
    for locus, name in enumerate(panel.loci):
        f, m = _seen(father, name), _seen(mother, name)
        if f is not None and m is not None:
            exact_table[:, locus] = _children(kinship, locus, f, m)
        elif f is not None:
            exact_table[:, locus] = kinship.row(locus, f.alleles, _as(father, "male"), CHILD, "")
        elif m is not None:
            exact_table[:, locus] = kinship.row(locus, m.alleles, _as(mother, "female"), CHILD, "")
    upper = exact_table[0].copy()
    upper[:, RARE] = np.where(upper.any(axis=1), upper.max(axis=1) + MARGIN_LOG10, 0.0)

    def rare_value(rare: Rare, _: str) -> float:
        f, m = _seen(father, panel.loci[rare.locus]), _seen(mother, panel.loci[rare.locus])
        if f is not None and m is not None:
            child = Seen(rare.alleles, rare.dropout)
            return float(trio_ratios(kinship, rare.locus, [f], [m], [child])[0, 0, 0])
        query = _as(father, "male") if f is not None else _as(mother, "female")
        return kinship.rare_value(rare, query, CHILD, "unknown")

    def explained(locus: int, alleles: tuple[str, str]) -> bool | None:
        f, m = _seen(father, panel.loci[locus]), _seen(mother, panel.loci[locus])
        return mendelian(f.alleles if f else None, m.alleles if m else None, alleles)

    tables = QueryTables(exact_table, upper.astype(np.float32))
    return Question("child_of_couple", tables, rare_value, explained)


def _children(kinship: Kinship, locus: int, father: Seen, mother: Seen) -> NDArray[np.float64]:
    coded = kinship.panel.alleles[locus]
    genotypes = [Seen((coded[i], coded[j])) for i, j in pairs(len(coded))]
    # Nobody fits better than one allele of each parent: bounds the rare code.
    own = [Seen((x, y)) for x in father.alleles for y in mother.alleles]
    values = trio_ratios(kinship, locus, [father], [mother], [*genotypes, *own])[0, 0]
    row = np.zeros(256)
    row[: len(genotypes)] = values[: len(genotypes)]
    row[RARE] = values.max()
    return row


def _as(query: Query, sex: str) -> Query:
    return Query(query.genotypes, sex, query.dropout)
