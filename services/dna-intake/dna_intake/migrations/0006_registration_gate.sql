-- The registration gate: who asks for which child, every decision there was, and the offices' systems that are told.
-- An office is known by the account that asks and by its own reference number; no person stands here.

-- An office's system; its secrets are sealed under a key of its own, newest first, two while one is being replaced.
create table gate_subscription (
    id uuid primary key,
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    url text not null,
    wrapped_key bytea not null,
    secrets_sealed bytea not null,
    old_secret_until timestamptz,
    created_at timestamptz not null,
    created_by text not null,
    ended_at timestamptz,
    ended_because text,
    check ((ended_at is null) = (ended_because is null))
);

create index gate_subscription_standing on gate_subscription (region_code, id) where ended_at is null;

-- The columns from decision on repeat the last row of gate_decision, so that what is due is found by an index.
create table gate_request (
    id uuid primary key,
    specimen_id uuid not null references specimen (id),
    office_reference text not null,
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    exercise boolean not null,
    kind text not null check (kind in ('household_registration', 'adoption')),
    subscription_id uuid references gate_subscription (id),
    asked_at timestamptz not null,
    asked_by text not null,
    closed_at timestamptz,
    closed_by text,
    outcome text check (outcome in ('registered', 'given_up', 'lapsed')),
    seq integer not null check (seq >= 1),
    decision text not null check (decision in ('clear', 'hold', 'blocked')),
    reason text not null,
    generation bigint not null,
    deadline timestamptz,
    valid_until timestamptz,
    lead uuid,
    decided_at timestamptz not null,
    -- Since when a clear waits to be compared with families that came after it.
    behind_since timestamptz,
    look_at timestamptz not null,
    unique (specimen_id, office_reference),
    check ((closed_at is null) = (outcome is null)),
    check ((decision = 'clear') = (valid_until is not null))
);

create index gate_request_look on gate_request (look_at) where closed_at is null;
create index gate_request_behind on gate_request (generation)
where closed_at is null and decision = 'clear' and behind_since is null;
create index gate_request_region on gate_request (region_code, id);

create table gate_decision (
    request_id uuid not null references gate_request (id),
    seq integer not null check (seq >= 1),
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    decision text not null check (decision in ('clear', 'hold', 'blocked')),
    reason text not null,
    generation bigint not null,
    searched_through bigint,
    kit text,
    loci_typed integer,
    table_sha256 text,
    deadline timestamptz,
    valid_until timestamptz,
    lead uuid,
    decided_at timestamptz not null,
    primary key (request_id, seq)
);

create function refuse_to_rewrite_gate_decision() returns trigger language plpgsql as $$
begin
    raise exception 'Decisions of the gate are append-only; record a further one.' using errcode = 'restrict_violation';
end
$$;

create trigger gate_decision_append_only before update or delete on gate_decision
for each row execute function refuse_to_rewrite_gate_decision();

-- One decision to one office's system. `attempts` is the fence: whoever holds a lease writes under its number only.
create table gate_delivery (
    id uuid primary key,
    subscription_id uuid not null references gate_subscription (id),
    request_id uuid not null,
    seq integer not null,
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    state text not null check (state in ('queued', 'sending', 'delivered', 'failed', 'superseded', 'stopped')),
    attempts integer not null default 0 check (attempts >= 0),
    tries_max integer not null check (tries_max >= 1),
    due_at timestamptz not null,
    lease_until timestamptz,
    last_answer text,
    queued_at timestamptz not null,
    ended_at timestamptz,
    foreign key (request_id, seq) references gate_decision (request_id, seq),
    unique (subscription_id, request_id, seq),
    check ((state = 'sending') = (lease_until is not null)),
    check ((state in ('queued', 'sending')) = (ended_at is null))
);

create index gate_delivery_due on gate_delivery (due_at) where state = 'queued';
create index gate_delivery_lease on gate_delivery (lease_until) where state = 'sending';
create index gate_delivery_subscription on gate_delivery (subscription_id, due_at)
where state in ('queued', 'sending');
create index gate_delivery_request on gate_delivery (request_id, seq);
create index gate_delivery_region on gate_delivery (region_code, id);

alter table gate_subscription enable row level security;
alter table gate_request enable row level security;
alter table gate_decision enable row level security;
alter table gate_delivery enable row level security;

create policy region_scope on gate_subscription
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on gate_request
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on gate_decision
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on gate_delivery
using (current_setting('guitu.region', true) in ('*', region_code));
