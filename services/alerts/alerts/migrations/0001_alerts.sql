-- What alerts remembers: reports, cases with their versions and rings, the vault, and what others did (folded).

create sequence case_number;

create table report (
    id uuid primary key,
    case_id uuid not null,
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    exercise boolean not null,
    filed_by text not null,
    received_at timestamptz not null,
    body jsonb not null
);

create table case_file (
    id uuid primary key,
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    case_code text not null unique,
    exercise boolean not null,
    report_id uuid not null,
    state text not null check (state in ('open', 'stood_down')),
    version integer not null check (version >= 1),
    tier text not null,
    child jsonb not null,
    last_seen_place jsonb not null,
    last_seen_at timestamptz not null,
    circumstance text not null,
    suspected_mode text not null,
    vehicle text not null,
    companion text not null,
    note text not null,
    ring jsonb not null,
    opened_at timestamptz not null,
    closed_at timestamptz,
    outcome text check (outcome in ('found', 'false_alarm', 'merged', 'exercise_over')),
    merged_into uuid,
    close_reason text not null,
    check ((state = 'open') = (outcome is null)),
    check ((merged_into is null) or outcome = 'merged')
);
-- The search for a second report of the same child reads open cases of one region only.
create index case_file_open on case_file (region_code, last_seen_at) where state = 'open';
create index case_file_newest on case_file (opened_at desc);
create index case_file_merged on case_file (merged_into) where merged_into is not null;

create table alert_version (
    case_id uuid not null references case_file (id),
    version integer not null check (version >= 1),
    region_code text not null,
    kind text not null check (kind in ('raised', 'updated', 'widened', 'stood_down')),
    changed text[] not null,
    reason text not null,
    actor text not null,
    at timestamptz not null,
    body jsonb not null,
    primary key (case_id, version)
);

create table ring (
    case_id uuid not null references case_file (id),
    step integer not null check (step >= 0),
    region_code text not null,
    radius_km double precision not null check (radius_km > 0),
    due_at timestamptz not null,
    issued_at timestamptz,
    cancelled_at timestamptz,
    primary key (case_id, step)
);
create index ring_due on ring (due_at) where issued_at is null and cancelled_at is null;

-- Key and contents go together; a forgotten case keeps only the moment it was forgotten.
create table case_identity (
    case_id uuid primary key references case_file (id),
    region_code text not null,
    wrapped_key bytea,
    sealed bytea,
    changed_at timestamptz not null,
    forgotten_at timestamptz,
    check ((forgotten_at is null) = (wrapped_key is not null)),
    check ((wrapped_key is null) = (sealed is null))
);

-- From here on: what other services told us, folded for the live status. Their tables stay the truth.
create table plan_line (
    case_id uuid primary key,
    region_code text not null,
    plan_id uuid not null,
    plan_number integer not null,
    published_at timestamptz not null,
    closed_exits integer not null,
    open_exits jsonb not null,
    units_free integer not null
);

create table order_line (
    order_id uuid primary key,
    case_id uuid not null,
    region_code text not null,
    unit_id uuid not null,
    state text not null,
    rank integer not null,
    changed_at timestamptz not null,
    details jsonb not null
);
create index order_line_case on order_line (case_id);

create table notice_line (
    delivery_id uuid primary key,
    case_id uuid not null,
    region_code text not null,
    kind text not null,
    state text not null,
    rank integer not null,
    escalated boolean not null,
    changed_at timestamptz not null
);
create index notice_line_case on notice_line (case_id);

create table sighting (
    id uuid primary key,
    case_id uuid not null,
    region_code text not null,
    exercise boolean not null,
    seen_at timestamptz not null,
    place jsonb not null,
    mode text not null,
    note text not null,
    channel text not null,
    site_id uuid,
    unit_id uuid,
    reported_at timestamptz not null,
    verdict text,
    verdict_reason text not null,
    assessed_at timestamptz
);
create index sighting_case on sighting (case_id, reported_at);

create table dna_line (
    case_id uuid not null,
    type text not null,
    region_code text not null,
    at timestamptz not null,
    times integer not null check (times >= 1),
    details jsonb not null,
    primary key (case_id, type)
);

create table timeline (
    seq bigint generated always as identity primary key,
    case_id uuid not null,
    region_code text not null,
    at timestamptz not null,
    type text not null,
    details jsonb not null
);
create index timeline_case on timeline (case_id, at);

alter table report enable row level security;
alter table case_file enable row level security;
alter table alert_version enable row level security;
alter table ring enable row level security;
alter table case_identity enable row level security;
alter table plan_line enable row level security;
alter table order_line enable row level security;
alter table notice_line enable row level security;
alter table sighting enable row level security;
alter table dna_line enable row level security;
alter table timeline enable row level security;

create policy region_scope on report using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on case_file using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on alert_version using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on ring using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on case_identity using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on plan_line using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on order_line using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on notice_line using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on sighting using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on dna_line using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on timeline using (current_setting('guitu.region', true) in ('*', region_code));
