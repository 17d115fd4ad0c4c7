-- squawk-ignore-file require-concurrent-index-creation -- every table here is new and empty
-- Profiles in: two readings before a profile is entered, holds that a second person ends, staff elimination,
-- keyed marks by which the same person is found under another label, and the files that were taken.

-- What one person read, sealed like a profile; key and content are deleted when the profile is entered or void.
create table profile_reading (
    id uuid primary key,
    specimen_id uuid not null references specimen (id),
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    kit text not null,
    loci_typed integer not null,
    partial boolean not null,
    state text not null check (state in ('open', 'entered', 'void')),
    import_id uuid,
    wrapped_key bytea,
    reading_sealed bytea,
    read_at timestamptz not null,
    read_by text not null,
    ended_at timestamptz,
    check ((wrapped_key is null) = (reading_sealed is null)),
    check ((wrapped_key is null) = (ended_at is not null)),
    check ((state = 'open') = (ended_at is null))
);

create index profile_reading_specimen on profile_reading (specimen_id, read_at);
-- One person reads a specimen once; the second reading is another's.
create unique index profile_reading_reader on profile_reading (specimen_id, read_by) where ended_at is null;

-- A profile on which both readings agree, and which may still be of the wrong person.
create table profile_hold (
    id uuid primary key,
    specimen_id uuid not null references specimen (id),
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    reasons jsonb not null,
    held_at timestamptz not null,
    ended_at timestamptz,
    ended_by text,
    ended_as text check (ended_as in ('released', 'void')),
    because text,
    check ((ended_at is null) = (ended_as is null))
);

create unique index profile_hold_open on profile_hold (specimen_id) where ended_at is null;

-- Profiles of laboratory staff, under a code that the laboratory keeps; for contamination only, never searched.
create table staff_profile (
    id uuid primary key,
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    staff_code text not null,
    kit text not null,
    loci_typed integer not null,
    wrapped_key bytea,
    genotype_sealed bytea,
    registered_at timestamptz not null,
    registered_by text not null,
    retired_at timestamptz,
    check ((wrapped_key is null) = (genotype_sealed is null)),
    check ((wrapped_key is null) = (retired_at is not null))
);

create unique index staff_profile_code on staff_profile (region_code, staff_code) where retired_at is null;

-- HMACs under a key that PostgreSQL never sees. They carry no region, and no policy: a child may be sampled in two
-- counties, and a mark says nothing without the key.
create table profile_mark (
    specimen_id uuid not null references specimen (id),
    part smallint not null check (part between 0 and 4),
    mark bytea not null check (octet_length(mark) = 16),
    primary key (specimen_id, part)
);

create index profile_mark_found on profile_mark (part, mark);

-- A file of the same person is taken once; its digest is keyed, since a plain one could be guessed from a profile.
create table profile_import (
    id uuid primary key,
    region_code text not null check (region_code ~ '^([0-9]{6}|\*)$'),
    uploaded_by text not null,
    digest bytea not null check (octet_length(digest) = 32),
    answer jsonb not null,
    imported_at timestamptz not null,
    unique (uploaded_by, digest)
);

alter table profile_reading enable row level security;
alter table profile_hold enable row level security;
alter table staff_profile enable row level security;
alter table profile_import enable row level security;

create policy region_scope on profile_reading
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on profile_hold
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on staff_profile
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on profile_import
using (current_setting('guitu.region', true) in ('*', region_code));
