"""Search of a national size: one person against ten million profiles, exactly, within a fraction of a second.

A plain library over numpy and numba: a panel makes profiles into bytes, an index holds them, a query's tables hold the
likelihood ratio of every genotype at every locus, and a scan looks them up. The model and its ratios are those of
`dna_intake.kinship`. It knows no database, specimen or case; formats, method and limits: docs/dna_search.md.
"""

from dna_intake.search.engine import kinship_of
from dna_intake.search.index import Index
from dna_intake.search.pair_tables import Kinship, Query
from dna_intake.search.panel import Encoded, Panel
from dna_intake.search.refusals import IndexRefused, SearchRefused
from dna_intake.search.relations import CHILD, FULL_SIBLING, PARENT, RELATIONS, Relation
from dna_intake.search.search import Found, Lead, children_of, parents_of, relatives_of, siblings_of

__all__ = [
    "CHILD",
    "FULL_SIBLING",
    "PARENT",
    "RELATIONS",
    "Encoded",
    "Found",
    "Index",
    "IndexRefused",
    "Kinship",
    "Lead",
    "Panel",
    "Query",
    "Relation",
    "SearchRefused",
    "children_of",
    "kinship_of",
    "parents_of",
    "relatives_of",
    "siblings_of",
]
