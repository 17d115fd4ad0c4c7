"""How a lead is shown: its figures, what they mean in both languages, and nothing of a review that is under way."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from dna_intake import store_candidates
from dna_intake.domain import leads
from dna_intake.domain.reviews import seen_by, verdict_of
from dna_intake.models_search import CandidateAnswer, CandidateRow, ResultAnswer

SETTLED = ("confirmed", "refuted")


async def described(conn: asyncpg.Connection, rows: Sequence[CandidateRow]) -> list[CandidateAnswer]:
    """Leads with their second-tier results; verdict and reviewers only of those that are settled."""
    ids = [row.id for row in rows]
    results = await store_candidates.results_of(conn, ids)
    reviews = await store_candidates.reviews_of(conn, ids)
    answers = []
    for row in rows:
        verdicts = seen_by(reviews.get((row.id, row.review_round), {}), row.state in SETTLED)
        figures = (row.log10_lr, row.compared, row.strangers_by_mismatch)
        answers.append(
            CandidateAnswer(
                **row.model_dump(),
                says_en=leads.says_en(*figures),
                says_zh=leads.says_zh(*figures),
                second_tier=[
                    ResultAnswer(**each.model_dump(exclude={"candidate_id"}))
                    for each in results
                    if each.candidate_id == row.id
                ],
                verdict=verdict_of(verdicts),
                reviewers=sorted(verdicts),
            )
        )
    return answers
