"""A small kinship case of nobody, and the ways to spoil it that the command and the service must both refuse."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

from dna_intake.kinship import load_table

Case = dict[str, Any]
LOCI = ("CSF1PO", "D3S1358", "FGA", "TH01", "vWA")


def small_case() -> Case:
    """A trio at five loci, pedigrees written out, with a table written out."""
    table = load_table("norstr_east_asia")
    return {
        "people": [
            {
                "id": "child",
                "sex": "female",
                "genotypes": {
                    "CSF1PO": ["10", "12"],
                    "D3S1358": ["15", "16"],
                    "FGA": ["22", "24"],
                    "TH01": ["7", "9"],
                    "vWA": ["14", "17"],
                },
            },
            {
                "id": "man",
                "sex": "male",
                "genotypes": {
                    "CSF1PO": ["12"],
                    "D3S1358": ["15", "17"],
                    "FGA": ["24", "25"],
                    "TH01": ["9"],
                    "vWA": ["17", "18"],
                },
            },
            {"id": "woman", "sex": "female", "genotypes": {"CSF1PO": ["10", "11"], "TH01": ["7", "9.3"]}},
        ],
        "h1": {
            "name": "father",
            "people": [{"id": "man"}, {"id": "woman"}, {"id": "child", "father": "man", "mother": "woman"}],
        },
        "h2": {
            "name": "stranger",
            "people": [
                {"id": "man"},
                {"id": "woman"},
                {"id": "stranger", "sex": "male"},
                {"id": "child", "father": "stranger", "mother": "woman"},
            ],
        },
        "frequencies": {"loci": {locus: dict(table.loci[locus]) for locus in LOCI}, "source": "norSTR"},
    }


class Spoilt(NamedTuple):
    """What was done to the case, and whom and what its refusal must name."""

    name: str
    spoil: Callable[[Case], None]
    person: str
    locus: str
    says: str

    def case(self) -> Case:
        """The spoilt case."""
        found = deepcopy(small_case())
        self.spoil(found)
        return found


def _genotypes(case: Case, person: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = case["people"][person]["genotypes"]
    return found


def _untyped(case: Case) -> None:
    for person in case["people"]:
        person["genotypes"] = {}


def _without_mutation(case: Case) -> None:
    """Child and woman have no allele in common, in both hypotheses."""
    _genotypes(case, 2)["TH01"] = ["6"]
    case["model"] = {"mutation": {"model": "none"}}


def _own_ancestor(case: Case) -> None:
    """The man is the child of his own child."""
    case["h1"]["people"][0].update(father="grandfather", mother="child")
    case["h1"]["people"].append({"id": "grandfather", "sex": "male"})


def _twice(case: Case) -> None:
    _genotypes(case, 0)["csf1po"] = ["10", "12"]


SPOILT = (
    Spoilt(
        "an allele off ladder",
        lambda c: _genotypes(c, 1).update(FGA=["OL", "24"]),
        "man",
        "FGA",
        "off ladder",
    ),
    Spoilt(
        "an allele out of range", lambda c: _genotypes(c, 1).update(TH01=["45"]), "man", "TH01", "off ladder"
    ),
    Spoilt(
        "an impossible microvariant",
        lambda c: _genotypes(c, 0).update(vWA=["14.7"]),
        "child",
        "vWA",
        "off ladder",
    ),
    Spoilt(
        "three alleles",
        lambda c: _genotypes(c, 0).update(vWA=["14", "15", "17"]),
        "child",
        "vWA",
        "3 alleles",
    ),
    Spoilt("no allele", lambda c: _genotypes(c, 0).update(vWA=[]), "child", "vWA", "0 alleles"),
    Spoilt("a locus in two spellings", _twice, "child", "CSF1PO", "twice"),
    Spoilt("a missing locus", lambda c: c.update(loci=["TH01", "D8S1179"]), "", "D8S1179", "Nobody is typed"),
    Spoilt(
        "no locus in the table",
        lambda c: c["frequencies"].update(loci={"SE33": {"9": 1.0}}),
        "",
        "",
        "None of the",
    ),
    Spoilt("nobody typed", _untyped, "", "", "Nobody is typed"),
    Spoilt(
        "frequencies that do not sum to 1",
        lambda c: c["frequencies"]["loci"]["TH01"].update({"9": 0.1}),
        "",
        "TH01",
        "sum to",
    ),
    Spoilt("an own ancestor", _own_ancestor, "child|man", "", "own ancestor"),
    Spoilt("a female father", lambda c: c["people"][1].update(sex="female"), "child", "", "is female"),
    Spoilt("one parent only", lambda c: c["h1"]["people"][2].pop("mother"), "child", "", "Only one parent"),
    Spoilt(
        "an unknown parent",
        lambda c: c["h1"]["people"][2].update(father="nobody"),
        "child",
        "",
        "not in the family",
    ),
    Spoilt("two sexes", lambda c: c["h2"]["people"][0].update(sex="female"), "man", "", "Of sex male"),
    Spoilt(
        "a person in one hypothesis", lambda c: c["h2"]["people"].pop(0), "man", "", "one hypothesis only"
    ),
    Spoilt("the same id twice", lambda c: c["people"].append(c["people"][0]), "child", "", "twice"),
    Spoilt("an impossible family", _without_mutation, "", "TH01", "no ratio"),
    Spoilt(
        "an unseen allele without a minimum",
        lambda c: (_genotypes(c, 0).update(vWA=["11"]), c.update(model={"minimum_frequency": 0})),
        "",
        "vWA",
        "not in the table",
    ),
    Spoilt("a table nobody knows", lambda c: c.update(frequencies={"table": "atlantis"}), "", "", "No table"),
    Spoilt(
        "a linked locus that is not typed",
        lambda c: c.update(model={"linked": [{"first": "vWA", "second": "D12S391", "recombination": 0.1}]}),
        "",
        "D12S391",
        "linked pair",
    ),
)
"""Bad input that issue 6 names, and more; a person "a|b" may be either."""
