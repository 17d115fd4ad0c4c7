"""Whatever a case or a `.fam` file says, the answer is a finite number, a named exclusion, or a refusal; never NaN."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dna_intake.kinship_files.case import LrCase
from dna_intake.kinship_files.fam import case_of_fam
from dna_intake.kinship_files.refused import CaseRefused
from dna_intake.kinship_files.resolve import question_of
from dna_intake.kinship_files.result import LrResult
from dna_intake.kinship_files.weigh import weigh
from harness.fam_files import paternity
from harness.lr_cases import LOCI, small_case

ALLELES = st.sampled_from(["6", "7", "9", "9.3", "12", "14", "15", "17", "22", "24", "24.2", "30"])
GENOTYPES = st.dictionaries(st.sampled_from(LOCI), st.lists(ALLELES, min_size=1, max_size=2), max_size=5)
SMALL = st.sampled_from([0.0, 1e-9, 0.002, 0.3, 0.95])
MUTATIONS = st.fixed_dictionaries(
    {"model": st.sampled_from(["none", "equal", "proportional", "stepwise"])},
    optional={"rate_male": SMALL, "rate_female": SMALL, "stabilised": st.booleans()},
)
MODELS = st.fixed_dictionaries(
    {"mutation": MUTATIONS},
    optional={"theta": SMALL, "silent": SMALL, "minimum_frequency": st.sampled_from([0.0, 1e-6, 0.01, 0.3])},
)
RELATIONS = st.sampled_from(
    [
        {"kind": "duo", "child": "child", "parent": "man"},
        {"kind": "trio", "child": "child", "father": "man", "mother": "woman"},
        {"kind": "full_siblings", "first": "child", "second": "man"},
        {"kind": "grandparent", "child": "child", "grandparent": "man"},
        None,
    ]
)
TOKENS = st.sampled_from(
    ["", "0", "1", "2", "3", "99", "-1", "0.5", "1e999", "nan", '"x"', "#TRUE#", "#FALSE#", "²"]
)


def is_sound(case: LrCase) -> None:
    """Weigh it: refused in both languages, or every number finite and every missing one explained."""
    try:
        result = weigh(question_of(case, None))
    except CaseRefused as refusal:
        troubles = refusal.troubles
    else:
        troubles = ()
        is_finite(result)
    assert all(trouble.says_en and trouble.says_zh for trouble in troubles)


def is_finite(result: LrResult) -> None:
    for one in result.loci:
        assert one.lr is None or 0.0 < one.lr < math.inf
        assert one.log10_lr is None or math.isfinite(one.log10_lr)
        assert (one.log10_lr is None) == (one.locus in result.impossible)
    assert (result.log10_lr is None) == bool(result.impossible)
    assert result.log10_lr is None or math.isfinite(result.log10_lr)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    genotypes=st.tuples(GENOTYPES, GENOTYPES, GENOTYPES),
    model=MODELS,
    relation=RELATIONS,
    dropout=SMALL,
    mode=st.sampled_from(["full", "full", "gbt37223"]),
)
def test_a_case_ends_in_a_number_an_exclusion_or_a_refusal(
    genotypes: tuple[dict[str, list[str]], ...],
    model: dict[str, Any],
    relation: dict[str, str] | None,
    dropout: float,
    mode: str,
) -> None:
    case = small_case() | {"model": model, "mode": mode}
    for person, typed in zip(case["people"], genotypes, strict=True):
        person["genotypes"] = typed
    case["people"][0]["dropout"] = dropout
    if relation is not None:
        del case["h1"], case["h2"]
        case["relation"] = relation
        case["people"] = [one for one in case["people"] if one["id"] in relation.values()]
    try:
        read = LrCase.model_validate(case)
    except ValidationError:
        return

    is_sound(read)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(at=st.integers(0, 85), token=TOKENS)
def test_a_fam_file_with_any_line_replaced_is_read_or_refused(at: int, token: str) -> None:
    lines = paternity().lines()
    lines[at % len(lines)] = token
    try:
        case = case_of_fam("\n".join(lines), "spoilt.fam")
    except CaseRefused:
        return

    is_sound(case)
