-- What every service's schema has: outbox, inbox, audit with its seal, dead letters, idempotency keys.
create table outbox (
    seq bigint generated always as identity primary key,
    id uuid not null unique,
    topic text not null,
    key text not null,
    shard smallint not null,
    type text not null,
    headers jsonb not null,
    payload bytea not null,
    occurred_at timestamptz not null,
    published_at timestamptz
);
create index outbox_pending on outbox (shard, seq) where published_at is null;

create table inbox (
    event_id uuid primary key,
    received_at timestamptz not null
);

create table audit (
    id uuid primary key,
    at timestamptz not null,
    actor text not null,
    action text not null,
    subject uuid,
    details jsonb not null
);
create table audit_seal (
    seq bigint primary key,
    audit_id uuid not null unique,
    hash bytea not null
);

create table dead_letter (
    id uuid primary key,
    event_id uuid,
    topic text not null,
    partition integer not null,
    "offset" bigint not null,
    key bytea,
    headers jsonb not null,
    value bytea,
    reason text not null,
    detail text not null,
    arrived_at timestamptz not null,
    replayed_at timestamptz,
    unique (topic, partition, "offset")
);

create table idempotency (
    principal text not null,
    key text not null,
    request_hash bytea not null,
    status integer,
    body jsonb,
    created_at timestamptz not null,
    primary key (principal, key)
);
