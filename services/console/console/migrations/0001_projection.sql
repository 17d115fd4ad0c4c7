-- What the console shows: every fact of the other services, folded. All of it can be dropped and built again by
-- `guitu console rebuild`; the owners' tables stay the truth. Facts come in any order across topics, so no table
-- refers to another, and a line may exist before the fact that explains it.

create table case_line (
    case_id uuid primary key,
    region_code text not null,
    exercise boolean not null,
    case_code text not null,
    version integer not null,
    body jsonb,
    raised_at timestamptz,
    changed_at timestamptz not null,
    ended_at timestamptz,
    outcome text,
    merged_into uuid,
    end_reason text not null default ''
);
comment on column case_line.body is 'The newest AlertBody; null while only its end is known.';
create index case_line_open on case_line (region_code, raised_at desc) where ended_at is null;
create index case_line_newest on case_line (raised_at desc);

create table plan_line (
    case_id uuid primary key,
    region_code text not null,
    plan_number integer not null,
    published_at timestamptz not null,
    body jsonb not null
);

create table order_line (
    order_id uuid primary key,
    case_id uuid not null,
    region_code text not null,
    exercise boolean not null,
    unit_id uuid not null,
    state text not null,
    rank integer not null,
    changed_at timestamptz not null,
    issued jsonb,
    stop jsonb,
    issued_at timestamptz,
    accepted_at timestamptz,
    in_position_at timestamptz,
    reported_at timestamptz,
    outcome text,
    overdue_at timestamptz,
    reassigned_to uuid,
    stood_down_at timestamptz,
    stood_down_reason text,
    cause text not null default '',
    acknowledged_at timestamptz
);
comment on column order_line.issued is 'What InterceptionOrdered said, without the page link; null until it is read.';
create index order_line_case on order_line (case_id);

create table aid_line (
    request_id uuid primary key,
    case_id uuid not null,
    region_code text not null,
    neighbour text not null,
    exit_id uuid not null,
    asked jsonb,
    requested_at timestamptz,
    withdrawn_at timestamptz,
    withdrawn_reason text
);
create index aid_line_case on aid_line (case_id);

create table delivery_line (
    delivery_id uuid primary key,
    notice_id uuid not null,
    case_id uuid not null,
    region_code text not null,
    exercise boolean not null,
    kind text not null,
    alert_version integer not null,
    site_id uuid,
    unit_id uuid,
    state text not null,
    rank integer not null,
    changed_at timestamptz not null,
    queued_at timestamptz,
    accepted_at timestamptz,
    delivered_at timestamptz,
    opened_at timestamptz,
    acknowledged_at timestamptz,
    channel text,
    nil_at timestamptz,
    seen_nothing_until timestamptz,
    failed_at timestamptz,
    failed_code text,
    failed_reason text,
    escalated_at timestamptz,
    escalated_to text
);
create index delivery_line_site on delivery_line (case_id, site_id) where site_id is not null;
create index delivery_line_unit on delivery_line (case_id, unit_id) where unit_id is not null;

create table sighting_line (
    sighting_id uuid primary key,
    case_id uuid not null,
    region_code text not null,
    reported_at timestamptz,
    body jsonb,
    verdict text,
    verdict_reason text not null default '',
    assessed_at timestamptz
);
create index sighting_line_case on sighting_line (case_id);

create table dna_line (
    case_id uuid not null,
    type text not null,
    region_code text not null,
    at timestamptz not null,
    times integer not null,
    details jsonb not null,
    primary key (case_id, type)
);

-- No fact names a specimen and a case, so specimens are only ever counted (ADR 0013).
create table specimen_line (
    specimen_id uuid primary key,
    region_code text not null,
    category text,
    state text not null,
    changed_at timestamptz not null
);

create table timeline (
    event_id uuid primary key,
    case_id uuid not null,
    region_code text not null,
    at timestamptz not null,
    type text not null,
    details jsonb not null
);
create index timeline_case on timeline (case_id, at desc);

-- What the live streams read. Numbers become visible in their order: who writes holds a lock until it commits.
-- It has no row-level security: it says nothing but ids, and a region that is quiet must see how far the numbers have
-- come, or its pages would look older than what is kept. The hub hands on a region's own changes only.
create table change (
    seq bigint generated always as identity primary key,
    case_id uuid,
    region_code text not null,
    part text not null,
    key text not null,
    fact_at timestamptz not null,
    written_at timestamptz not null
);
create index change_case on change (case_id, seq);
create index change_age on change (written_at);

alter table case_line enable row level security;
alter table plan_line enable row level security;
alter table order_line enable row level security;
alter table aid_line enable row level security;
alter table delivery_line enable row level security;
alter table sighting_line enable row level security;
alter table dna_line enable row level security;
alter table specimen_line enable row level security;
alter table timeline enable row level security;

create policy region_scope on case_line using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on plan_line using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on order_line using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on aid_line using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on delivery_line using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on sighting_line using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on dna_line using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on specimen_line using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on timeline using (current_setting('guitu.region', true) in ('*', region_code));
