-- What DNA intake remembers: the requests of a case, specimens with their chain of custody, sealed profiles.
-- Cases are known by id alone; whose sample it is stands nowhere in this schema.

create table sample_request (
    id uuid primary key,
    case_id uuid not null unique,
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    exercise boolean not null,
    category text not null,
    state text not null check (state in ('open', 'collected', 'entered', 'cancelled')),
    requested_at timestamptz not null,
    due_at timestamptz not null,
    overdue_at timestamptz,
    cancelled_at timestamptz,
    cancelled_because text
);

-- The sweep of late samples reads only what may still become late.
create index sample_request_due on sample_request (due_at) where state = 'open' and overdue_at is null;
create index sample_request_open on sample_request (region_code, due_at) where state = 'open';

create table cross_match_request (
    id uuid primary key,
    case_id uuid not null unique,
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    exercise boolean not null,
    state text not null check (state in ('waiting', 'cancelled')),
    waits_for text[] not null,
    requested_at timestamptz not null,
    changed_at timestamptz not null
);

-- A stand-down may be read before its alert, after a replay; then the alert must not open requests.
create table stood_down_case (
    case_id uuid primary key,
    outcome text not null,
    stood_down_at timestamptz not null
);

create table specimen (
    id uuid primary key,
    barcode text not null unique,
    category text not null,
    case_id uuid,
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    exercise boolean not null,
    state text not null,
    moves integer not null check (moves >= 1),
    registered_at timestamptz not null
);

create index specimen_case on specimen (case_id) where case_id is not null;

create table custody_move (
    specimen_id uuid not null references specimen (id),
    seq integer not null check (seq >= 1),
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    from_state text,
    to_state text not null,
    moved_at timestamptz not null,
    recorded_at timestamptz not null,
    actor text not null,
    seal text not null,
    location text not null,
    hash bytea not null check (octet_length(hash) = 32),
    primary key (specimen_id, seq)
);

-- The past can't be rewritten, not even by the owner without dropping this trigger first.
create function refuse_to_rewrite_custody() returns trigger language plpgsql as $$
begin
    raise exception 'Custody moves are append-only; record a further move instead.' using errcode = 'restrict_violation';
end
$$;

create trigger custody_move_append_only before update or delete on custody_move
for each row execute function refuse_to_rewrite_custody();

-- Expunging deletes key and genotype; the row stays to say that there was one.
create table profile (
    specimen_id uuid primary key references specimen (id),
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    kit text not null,
    loci_typed integer not null,
    partial boolean not null,
    wrapped_key bytea,
    genotype_sealed bytea,
    accepted_at timestamptz not null,
    accepted_by text not null,
    expunged_at timestamptz,
    check ((wrapped_key is null) = (genotype_sealed is null)),
    check ((wrapped_key is null) = (expunged_at is not null))
);

alter table sample_request enable row level security;
alter table cross_match_request enable row level security;
alter table specimen enable row level security;
alter table custody_move enable row level security;
alter table profile enable row level security;

create policy region_scope on sample_request
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on cross_match_request
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on specimen
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on custody_move
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on profile
using (current_setting('guitu.region', true) in ('*', region_code));
