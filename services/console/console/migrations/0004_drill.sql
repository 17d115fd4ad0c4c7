-- Drills: scripted cases that are run as exercises. Not folded from topics, so a rebuild leaves them alone.

create table drill_run (
    id uuid primary key,
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    scenario text not null,
    title_zh text not null,
    title_en text not null,
    speed integer not null check (speed between 1 and 60),
    state text not null check (state in ('running', 'stopping', 'finished', 'stopped', 'failed')),
    started_by text not null,
    started_as text not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    case_id uuid,
    case_code text not null default '',
    -- What a later step needs of an earlier one: ids and plan numbers.
    memory jsonb not null,
    check ((ended_at is null) = (state in ('running', 'stopping')))
);
create index drill_run_newest on drill_run (started_at desc);
create index drill_run_open on drill_run (region_code) where state in ('running', 'stopping');

create table drill_step (
    run_id uuid not null references drill_run (id),
    number integer not null check (number >= 0),
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    step jsonb not null,
    state text not null check (state in ('waiting', 'done', 'missed', 'refused', 'skipped')),
    due_at timestamptz,
    lease uuid,
    leased_until timestamptz,
    began_at timestamptz,
    -- Whom the step is about, chosen once: after a crash the same ones answer, and no others.
    picked jsonb,
    happened jsonb,
    ended_at timestamptz,
    primary key (run_id, number),
    check ((ended_at is null) = (state = 'waiting'))
);
create index drill_step_due on drill_step (due_at) where state = 'waiting';

alter table drill_run enable row level security;
alter table drill_step enable row level security;

create policy region_scope on drill_run using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on drill_step using (current_setting('guitu.region', true) in ('*', region_code));
