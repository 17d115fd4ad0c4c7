-- squawk-ignore-file require-concurrent-index-creation, ban-drop-constraint -- new tables and empty columns; a state more
-- The kinship search: what changed in the index, what was searched and why, what was found, who reviewed it.
--
-- Nothing here says whose case a specimen belongs to, and nothing holds a genotype: what the second tier compared
-- is sealed like a profile.

-- What the matcher reads of a profile beside its sealed genotype. A profile is in the index while it has a
-- generation; `key_hash` is Kafka's hash of the specimen id, so that a profile lives where its facts are read.
alter table profile
add column generation bigint,
add column kind smallint check (kind between 0 and 9),
add column key_hash integer check (key_hash >= 0),
add column case_link bytea check (octet_length(case_link) = 32),
add column exercise boolean,
add column searched_through bigint;

create index profile_child_hash on profile (key_hash) where kind = 0;
create index profile_case_link on profile (case_link) where case_link is not null;

-- One row, locked by whoever takes the next generation until he commits: so generations are in commit order, and
-- whoever sees generation g sees every change up to g.
create table index_generation (
    id boolean primary key default true check (id),
    newest bigint not null,
    newest_family bigint not null
);

create table profile_change (
    generation bigint primary key,
    specimen_id uuid not null references specimen (id),
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    change text not null check (change in ('entered', 'retyped', 'expunged')),
    kind smallint not null,
    changed_at timestamptz not null
);

create index profile_change_specimen on profile_change (specimen_id, generation);

-- Who searched for what, and why; written before the search may exist.
create table search_log (
    id uuid primary key,
    asked_by text not null,
    cause text not null check (cause in ('profile_entered', 'retyped', 'manual', 'all_against_all')),
    purpose text not null check (length(purpose) between 1 and 200),
    specimen_id uuid references specimen (id),
    asked_at timestamptz not null
);

create function refuse_to_rewrite_search() returns trigger language plpgsql as $$
begin
    raise exception 'The log of searches, reviews and reveals is append-only; add a row instead.'
        using errcode = 'restrict_violation';
end
$$;

create trigger search_log_append_only before update or delete on search_log
for each row execute function refuse_to_rewrite_search();

-- No search without its line in the log: its id is that line.
create table search (
    id uuid primary key references search_log (id),
    specimen_id uuid not null references specimen (id),
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    exercise boolean not null,
    kind smallint not null,
    relations text[] not null,
    generation bigint not null,
    state text not null check (state in ('waiting', 'completed', 'cancelled')),
    missing smallint[] not null,
    compared bigint not null,
    leads integer not null,
    compared_generation bigint,
    attempts integer not null,
    due_at timestamptz not null,
    requested_at timestamptz not null,
    completed_at timestamptz
);

create index search_waiting on search (generation) where state = 'waiting';
create index search_specimen on search (specimen_id, generation);

-- What one worker answered for the partitions it holds; the answers are merged when none is missing.
create table search_part (
    search_id uuid not null references search (id),
    partitions smallint[] not null,
    generation bigint not null,
    compared bigint not null,
    -- Specimen ids, relations and ratios; never a genotype.
    found jsonb not null,
    took_ms real not null,
    answered_at timestamptz not null,
    primary key (search_id, partitions)
);

create table candidate (
    id uuid primary key,
    child_id uuid not null references specimen (id),
    family_id uuid not null references specimen (id),
    spouse_id uuid references specimen (id),
    relation text not null check (relation in (
        'parent', 'couple', 'full_sibling', 'grandparent', 'uncle_aunt'
    )),
    child_region text not null check (child_region ~ '^[0-9]{6}$'),
    family_region text not null check (family_region ~ '^[0-9]{6}$'),
    exercise boolean not null,
    state text not null check (state in (
        'open', 'second_tier', 'in_review', 'confirmed', 'refuted', 'withdrawn'
    )),
    search_id uuid not null references search_log (id),
    log10_lr double precision not null,
    inconsistent smallint not null,
    loci smallint not null,
    compared bigint not null,
    posterior double precision not null,
    strangers_by_mismatch double precision,
    strangers_by_lr double precision not null,
    index_generation bigint not null,
    table_name text not null,
    table_sha256 text not null,
    model jsonb not null,
    markers text[] not null,
    review_round smallint not null,
    found_at timestamptz not null,
    changed_at timestamptz not null
);

create index candidate_child on candidate (child_id);
create index candidate_family on candidate (family_id);
create index candidate_spouse on candidate (spouse_id) where spouse_id is not null;
create index candidate_open on candidate (found_at) where state in ('open', 'second_tier', 'in_review');

create table second_tier_result (
    id uuid primary key,
    candidate_id uuid not null references candidate (id),
    marker text not null check (marker in ('y_str', 'mtdna', 'more_loci', 'other_parent')),
    outcome text not null check (outcome in ('consistent', 'inconclusive', 'inconsistent')),
    compared integer not null,
    mismatches integer not null,
    log10_lr double precision,
    wrapped_key bytea,
    result_sealed bytea,
    recorded_at timestamptz not null,
    recorded_by text not null,
    check ((wrapped_key is null) = (result_sealed is null))
);

create index second_tier_candidate on second_tier_result (candidate_id);

create table review (
    candidate_id uuid not null references candidate (id),
    round smallint not null,
    reviewer text not null,
    verdict text not null check (verdict in ('confirmed', 'refuted', 'more_markers')),
    reviewed_at timestamptz not null,
    primary key (candidate_id, round, reviewer)
);

create trigger review_append_only before update or delete on review
for each row execute function refuse_to_rewrite_search();

create table reveal (
    id uuid primary key,
    candidate_id uuid not null references candidate (id),
    revealed_to text not null,
    purpose text not null check (length(purpose) between 1 and 200),
    revealed_at timestamptz not null
);

create index reveal_by on reveal (revealed_to, revealed_at);

create trigger reveal_append_only before update or delete on reveal
for each row execute function refuse_to_rewrite_search();

-- The nightly comparison of all children with all families, in steps that survive whoever takes them.
create table all_against_all (
    id uuid primary key references search_log (id),
    state text not null check (state in ('running', 'completed', 'cancelled')),
    generation bigint not null,
    steps integer not null,
    missing integer[] not null,
    compared bigint not null,
    leads integer not null,
    missed integer not null,
    attempts integer not null,
    due_at timestamptz not null,
    started_at timestamptz not null,
    completed_at timestamptz
);

create unique index all_against_all_running on all_against_all (state) where state = 'running';

alter table profile_change enable row level security;
alter table search enable row level security;
alter table candidate enable row level security;

create policy region_scope on profile_change
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on search
using (current_setting('guitu.region', true) in ('*', region_code));
-- A lead concerns two regions: where the child is, and where the family is.
create policy region_scope on candidate
using (current_setting('guitu.region', true) in ('*', child_region, family_region));

alter table cross_match_request drop constraint cross_match_request_state_check;
alter table cross_match_request add constraint cross_match_request_state_check
check (state in ('waiting', 'completed', 'cancelled')) not valid;
