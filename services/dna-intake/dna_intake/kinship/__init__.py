"""Kinship by DNA: how much more likely are genotypes if people are related in one way than in another?

A plain library: pedigrees, allele frequencies and a model go in, log10 likelihood ratios by locus come out. It knows
nothing of specimens, services or databases; the model and its sources are in docs/kinship.md.
"""

from dna_intake.kinship import relations, simulate
from dna_intake.kinship.compare import compare
from dna_intake.kinship.frequencies import FrequencyTable
from dna_intake.kinship.model import VWA_D12S391, LinkedPair, Model
from dna_intake.kinship.mutation import DEFAULT_MUTATION, Mutation, mutation_matrix
from dna_intake.kinship.observation import Typing
from dna_intake.kinship.pedigree import Pedigree, Person
from dna_intake.kinship.refusals import (
    ComparisonTooLarge,
    Impossible,
    KinshipRefused,
    ModelRefused,
    PedigreeRefused,
    TableRefused,
    TypingRefused,
)
from dna_intake.kinship.results import LikelihoodRatio, LocusRatio
from dna_intake.kinship.table_files import load_table, shipped_tables

__all__ = [
    "DEFAULT_MUTATION",
    "VWA_D12S391",
    "ComparisonTooLarge",
    "FrequencyTable",
    "Impossible",
    "KinshipRefused",
    "LikelihoodRatio",
    "LinkedPair",
    "LocusRatio",
    "Model",
    "ModelRefused",
    "Mutation",
    "Pedigree",
    "PedigreeRefused",
    "Person",
    "TableRefused",
    "Typing",
    "TypingRefused",
    "compare",
    "load_table",
    "mutation_matrix",
    "relations",
    "shipped_tables",
    "simulate",
]
