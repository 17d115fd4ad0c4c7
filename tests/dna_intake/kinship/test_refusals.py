"""Bad input: a sentence that names locus and person and says how to mend it; never a silent zero, never a NaN."""

from __future__ import annotations

from math import inf, isfinite, isnan, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dna_intake.kinship import (
    ComparisonTooLarge,
    FrequencyTable,
    Impossible,
    KinshipRefused,
    LinkedPair,
    Model,
    ModelRefused,
    Mutation,
    Pedigree,
    PedigreeRefused,
    Person,
    Typing,
    TypingRefused,
    compare,
    load_table,
)
from dna_intake.kinship.relations import RELATIONS, duo, full_siblings, trio

TABLE = FrequencyTable(
    "t", "invented", {"vWA": {"14": 0.3, "15": 0.3, "17": 0.4}, "TH01": {"6": 0.5, "9.3": 0.5}}
)
ALIKE = Typing({"vWA": ("14", "15"), "TH01": ("6",)})
NONE = Model(0, Mutation())


def refused(kind: type[KinshipRefused], parent: Typing, model: Model = NONE) -> KinshipRefused:
    with pytest.raises(kind) as caught:
        compare(*duo(), {"child": ALIKE, "parent": parent}, TABLE, model)
    return caught.value


@pytest.mark.parametrize("alleles", [("14", "15", "17"), "14"])
def test_other_than_one_or_two_alleles_are_refused_with_locus_and_person(alleles: tuple[str, ...]) -> None:
    found = refused(TypingRefused, Typing({"vWA": alleles}))

    assert ("vWA", "parent") == (found.locus, found.person)
    assert "leave the locus out" in str(found)


@pytest.mark.parametrize("allele", ["OL", "<9", "", "9.", "9.33", "-9", "九", "９", 14, None])
def test_what_is_no_allele_is_refused_with_locus_and_person(allele: object) -> None:
    found = refused(TypingRefused, Typing({"vWA": ("14", allele)}))  # type: ignore[arg-type]

    assert ("vWA", "parent") == (found.locus, found.person)


def test_no_common_locus_is_refused_with_the_reasons() -> None:
    typed = {"child": Typing({"vWA": ("14",)}), "parent": Typing({"TH01": ("6",), "FGA": ("20",)})}

    with pytest.raises(TypingRefused, match="vWA typed in child only"):
        compare(*duo(), typed, TABLE, NONE)


def test_loci_that_are_not_used_are_named_with_the_reason() -> None:
    parent = Typing({"vWA": ("14",), "FGA": ("20",), "Amelogenin": ()})

    found = compare(*duo(), {"child": ALIKE, "parent": parent}, TABLE, NONE)

    assert {"FGA": "not in table t", "TH01": "typed in child only"} == dict(found.left_out)
    assert ["vWA"] == [each.locus for each in found.loci]


def test_typed_person_in_one_hypothesis_only_is_refused_by_name() -> None:
    h1, _ = duo()

    with pytest.raises(PedigreeRefused, match="person parent: Typed, but not in hypothesis 'alone'"):
        compare(h1, Pedigree("alone", [Person("child")]), {"child": ALIKE, "parent": ALIKE}, TABLE, NONE)


def test_nobody_typed_is_refused() -> None:
    with pytest.raises(TypingRefused, match="Nobody is typed"):
        compare(*duo(), {}, TABLE, NONE)


def test_person_of_another_sex_in_the_other_hypothesis_is_refused() -> None:
    h1, _ = duo()
    h2 = Pedigree("strangers", [Person("child"), Person("parent", "female")])

    with pytest.raises(PedigreeRefused, match="male in 'duo' and female in 'strangers'"):
        compare(h1, h2, {"child": ALIKE, "parent": ALIKE}, TABLE, NONE)


@pytest.mark.parametrize(
    ("people", "says"),
    [
        ([], "nobody"),
        ([Person("a"), Person("a")], "there twice"),
        ([Person("a", "male", "b", "m"), Person("b", "male", "a", "m"), Person("m")], "own ancestor"),
        ([Person("a", "male", "a", "m"), Person("m")], "own ancestor"),
        ([Person("f", "female"), Person("m", "female"), Person("a", "male", "f", "m")], "is female"),
        ([Person("f", "male"), Person("m", "male"), Person("a", "male", "f", "m")], "is male"),
        ([Person("f"), Person("a", "male", "f")], "Only one parent"),
        ([Person("f"), Person("a", "male", "f", "m")], "not in the family"),
        ([Person("f"), Person("a", "male", "f", "f")], "same person"),
        (
            [Person("f"), Person("m"), Person("a", "male", "f", "m"), Person("b", "male", "m", "f")],
            "elsewhere",
        ),
        ([Person(str(n)) for n in range(201)], "200 are the most"),
    ],
)
def test_families_that_cannot_be_are_refused(people: list[Person], says: str) -> None:
    with pytest.raises(PedigreeRefused, match=says):
        Pedigree("wrong", people)


@pytest.mark.parametrize(
    "wrong",
    [{"theta": 1.0}, {"theta": -0.1}, {"theta": float("nan")}, {"silent": 1.0}, {"minimum_frequency": 1.5}],
)
def test_model_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ModelRefused, match=next(iter(wrong))):
        Model(**wrong)


def test_linked_pairs_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ModelRefused):
        LinkedPair("vWA", "vWA", 0.1)
    with pytest.raises(ModelRefused, match=r"0 to 0\.5"):
        LinkedPair("vWA", "TH01", 0.6)
    with pytest.raises(ModelRefused, match="two linked pairs"):
        Model(linked=[LinkedPair("vWA", "TH01", 0.1), LinkedPair("vWA", "FGA", 0.1)])


def test_dropout_out_of_range_is_refused() -> None:
    assert "parent" == refused(TypingRefused, Typing({"vWA": ("14",)}, dropout=1.0)).person


def test_exclusion_without_mutation_is_minus_infinity_and_names_the_locus() -> None:
    parent = Typing({"vWA": ("17",), "TH01": ("6",)})

    found = compare(*duo(), {"child": ALIKE, "parent": parent}, TABLE, NONE)

    assert -inf == found.log10_lr
    assert ("vWA",) == found.excluded_at


def test_genotypes_that_no_hypothesis_explains_are_refused_with_the_locus() -> None:
    typed = {
        who: Typing({"vWA": (allele,)})
        for who, allele in (("child", "14"), ("father", "15"), ("mother", "17"))
    }

    with pytest.raises(Impossible, match="locus vWA: Both hypotheses") as caught:
        compare(*trio(), typed, TABLE, NONE)

    assert "vWA" == caught.value.locus


def test_family_that_would_need_too_much_memory_is_refused_by_name() -> None:
    """Thirteen untyped founders' children marry crosswise: the table in between would not fit."""
    table = FrequencyTable("t", "invented", {"SE33": {str(a): 1 / 60 for a in range(10, 70)}})
    sexes = ("male", "female")
    people = [Person(f"g0.{i}", sexes[i % 2]) for i in range(10)]
    for generation in range(1, 4):
        for i in range(10):
            father, mother = i - i % 2, (i + 2 * generation + 1) % 10 | 1
            parents = (f"g{generation - 1}.{father}", f"g{generation - 1}.{mother}")
            people.append(Person(f"g{generation}.{i}", sexes[i % 2], *parents))
    typed = {f"g3.{i}": Typing({"SE33": ("10", "11")}) for i in range(10)}
    strangers = Pedigree("strangers", [Person(person) for person in typed])

    with pytest.raises(ComparisonTooLarge, match="'village'"):
        compare(Pedigree("village", people), strangers, typed, table, Model(0))


def test_too_many_untyped_founders_with_theta_are_refused_by_name() -> None:
    people = [Person(f"f{i}", "male") for i in range(4)] + [Person(f"m{i}", "female") for i in range(4)]
    for i in range(4):
        people += [Person(f"a{i}", "unknown", f"f{i}", f"m{i}"), Person(f"b{i}", "unknown", f"f{i}", f"m{i}")]
    typed = {f"{who}{i}": ALIKE for who in "ab" for i in range(4)}
    family = Pedigree("four couples", people)

    with pytest.raises(ComparisonTooLarge, match="'four couples': 16 alleles"):
        compare(family, family, typed, TABLE, Model(0.01))

    assert 0 == compare(family, family, typed, TABLE, Model(0)).log10_lr


def test_hundreds_of_alike_people_do_not_underflow() -> None:
    people = [Person("f", "male"), Person("m", "female")]
    people += [Person(f"c{i}", "unknown", "f", "m") for i in range(190)]
    typed = {f"c{i}": Typing({"vWA": (("14",), ("15", "17"), ("17",))[i % 3]}) for i in range(190)}
    family = Pedigree("large", people)
    strangers = Pedigree("strangers", [Person(person) for person in typed])

    found = compare(family, strangers, typed, TABLE, Model(0, Mutation("equal", 1e-4, 1e-4)))

    assert found.loci[0].log10_h1 < -150
    assert found.loci[0].log10_h2 < -150
    assert isfinite(found.log10_lr)


def test_dozens_of_typed_homozygous_children_are_one_way_of_descent() -> None:
    """Their genotypes have one state each; theta sums over the origins of gametes elsewhere."""
    people = [Person("f", "male"), Person("m", "female")]
    people += [Person(f"c{i}", "unknown", "f", "m") for i in range(80)]
    typed = {who.id: Typing({"vWA": ("14",)}) for who in people}
    family = Pedigree("large", people)

    found = compare(family, family, typed, TABLE, Model(0.01, Mutation()))

    one_kind = [0.3]
    for n in range(1, 4):
        one_kind.append((n * 0.01 + 0.99 * 0.3) / (1 + (n - 1) * 0.01))
    assert prod(one_kind) == pytest.approx(10 ** found.loci[0].log10_h1, rel=1e-12)


ALLELE = st.sampled_from(["14", "15", "15.2", "17", "9", "OL", "99", ""])
GENOTYPES = st.dictionaries(
    st.sampled_from(["vWA", "TH01", "FGA"]), st.lists(ALLELE, max_size=3).map(tuple), max_size=3
)


@settings(max_examples=150, deadline=None)
@given(
    relation=st.sampled_from(sorted(set(RELATIONS) - {"cousins"})),
    genotypes=st.lists(GENOTYPES, min_size=3, max_size=3),
    theta=st.sampled_from([0.0, 0.01, 0.5]),
    silent=st.sampled_from([0.0, 0.01]),
    dropout=st.sampled_from([0.0, 0.5]),
    mutation=st.sampled_from([Mutation(), Mutation("stepwise", 0.01, 0.01), Mutation("equal", 0.1, 0.01)]),
)
def test_whatever_comes_in_there_is_a_number_or_a_reason(
    relation: str,
    genotypes: list[dict[str, tuple[str, ...]]],
    theta: float,
    silent: float,
    dropout: float,
    mutation: Mutation,
) -> None:
    h1, h2 = RELATIONS[relation]()
    people = [person for person in h2.by_id if not person.startswith("untyped:")]
    typed = {person: Typing(seen, dropout) for person, seen in zip(people, genotypes, strict=False)}

    try:
        found = compare(h1, h2, typed, TABLE, Model(theta, mutation, silent))
    except KinshipRefused as reason:
        refusal, log10_lr, excluded = str(reason), 0.0, False
    else:
        refusal, log10_lr, excluded = "", found.log10_lr, bool(found.excluded_at)

    assert refusal == "" or refusal.endswith(".")
    assert not isnan(log10_lr)
    assert log10_lr < inf
    assert (log10_lr == -inf) == excluded


def test_shipped_table_and_usual_model_answer_with_everything_that_is_needed_to_repeat_it() -> None:
    table = load_table("nist1036_asian")
    typed = {who: Typing({"vWA": ("14", "17"), "TH01": ("6", "9.3")}) for who in ("one", "other")}

    found = compare(*full_siblings(), typed, table)

    assert (table.name, table.sha256, Model()) == (found.table_name, found.table_sha256, found.model)
    assert found.log10_lr == pytest.approx(sum(each.log10_lr for each in found.loci), rel=1e-12)
    assert all(each.log10_lr == pytest.approx(each.log10_h1 - each.log10_h2) for each in found.loci)
