"""What the matcher counts; units in the names."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

GENERATION = Gauge("guitu_dna_index_generation", "Generation of the index that this process holds.")
GENERATION_AGE_S = Gauge(
    "guitu_dna_index_behind_seconds",
    "Age of the oldest change that the index does not have; 0 if it has all.",
)
PROFILES = Gauge("guitu_dna_index_profiles", "Profiles in this process's index.")
INDEX_BYTES = Gauge("guitu_dna_index_bytes", "Memory of this process's index.")
PARTITIONS_HELD = Gauge("guitu_dna_index_partitions", "Partitions whose profiles this process holds.")
UNREADABLE = Gauge("guitu_dna_unreadable_profiles", "Profiles that can't be opened with the vault key.")
WAITING = Gauge("guitu_dna_waiting_searches", "Searches without an answer.")
OLDEST_S = Gauge("guitu_dna_oldest_search_seconds", "Age of the oldest search without an answer.")
SEARCH_S = Histogram(
    "guitu_dna_search_seconds",
    "Time of one search in the matcher.",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15),
)
FAILURES = Counter("guitu_dna_search_failures_total", "Searches that failed and are tried again.")
ALL_AGAINST_ALL_MISSED = Counter(
    "guitu_dna_missed_leads_total", "Leads of the nightly comparison that no search had found; must stay 0."
)
