"""From what a case says of its model to the library's, with everything filled in that was left out."""

from __future__ import annotations

from collections.abc import Mapping

from dna_intake.kinship import DEFAULT_MUTATION, FrequencyTable, LinkedPair, Model, Mutation
from dna_intake.kinship_files.case import ModelChoice, MutationChoice


def filled(choice: ModelChoice, table: FrequencyTable) -> ModelChoice:
    """The same with every default written out, as results repeat it."""
    minimum = table.minimum_frequency if choice.minimum_frequency is None else choice.minimum_frequency
    mutation = _filled_mutation(choice.mutation)
    return choice.model_copy(update={"minimum_frequency": minimum, "mutation": mutation})


def _filled_mutation(choice: MutationChoice) -> MutationChoice:
    if choice.model == "none":
        usual = {"rate_male": 0.0, "rate_female": 0.0, "rate_microvariant": 0.0}
    else:
        stepwise = choice.model == "stepwise"
        usual = {
            "rate_male": DEFAULT_MUTATION.rate_male,
            "rate_female": DEFAULT_MUTATION.rate_female,
            "rate_microvariant": DEFAULT_MUTATION.rate_microvariant if stepwise else 0.0,
        }
    return choice.model_copy(
        update={name: rate for name, rate in usual.items() if getattr(choice, name) is None}
    )


def model_of(choice: ModelChoice, spelling: Mapping[str, str]) -> Model:
    """The library's model of a choice that is filled; `spelling` is how the table writes each locus.

    Raises: ModelRefused.
    """
    mutation = choice.mutation
    return Model(
        theta=choice.theta,
        mutation=Mutation(
            mutation.model,
            rate_male=mutation.rate_male or 0.0,
            rate_female=mutation.rate_female or 0.0,
            rate_microvariant=mutation.rate_microvariant or 0.0,
            range=mutation.range,
            stabilised=mutation.stabilised,
        ),
        silent=choice.silent,
        minimum_frequency=choice.minimum_frequency,
        linked=tuple(
            LinkedPair(
                spelling.get(pair.first, pair.first),
                spelling.get(pair.second, pair.second),
                pair.recombination,
            )
            for pair in choice.linked
        ),
    )
