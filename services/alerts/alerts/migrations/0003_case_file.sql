-- The case file: notes, task force, tasks and the next review; the photo's renditions; and what may be published.

create table case_note (
    id uuid primary key,
    case_id uuid not null references case_file (id),
    region_code text not null,
    kind text not null check (kind in ('note', 'hand_over')),
    words text not null,
    author text not null,
    at timestamptz not null
);
create index case_note_case on case_note (case_id, at);

-- Who works on the case: staff by the names of their accounts, one leader at most.
create table task_force_member (
    case_id uuid not null references case_file (id),
    person text not null,
    region_code text not null,
    leads boolean not null,
    since timestamptz not null,
    primary key (case_id, person)
);
create unique index task_force_leader on task_force_member (case_id) where leads;

create table case_task (
    id uuid primary key,
    case_id uuid not null references case_file (id),
    region_code text not null,
    what text not null,
    who text not null,
    due_at timestamptz,
    state text not null check (state in ('open', 'done', 'dropped')),
    given_by text not null,
    given_at timestamptz not null,
    changed_by text not null,
    changed_at timestamptz not null
);
create index case_task_case on case_task (case_id, given_at);

create table case_review (
    case_id uuid primary key references case_file (id),
    region_code text not null,
    next_on date not null,
    set_by text not null,
    set_at timestamptz not null
);

-- A row a case with a photo: what a worker process has to make of it, or has made. The renditions are sealed
-- with the key of the identity that they were made from, so they are worth nothing once that key is gone.
create table case_photo (
    case_id uuid primary key references case_file (id),
    region_code text not null,
    state text not null check (state in ('due', 'made', 'refused')),
    due_at timestamptz not null,
    attempts integer not null check (attempts >= 0),
    reason text not null,
    notice bytea,
    poster bytea,
    made_at timestamptz,
    check ((state = 'made') = (notice is not null and poster is not null))
);
create index case_photo_due on case_photo (due_at) where state = 'due';

create table publication (
    case_id uuid primary key references case_file (id),
    region_code text not null,
    police_case_number text not null,
    consent_by text not null check (consent_by in ('mother', 'father', 'guardian')),
    consent_form text not null check (consent_form in ('written', 'recorded')),
    consented_at timestamptz not null,
    photo boolean not null,
    name boolean not null,
    token text not null unique,
    recorded_by text not null,
    recorded_at timestamptz not null,
    withdrawn_by text,
    withdrawn_at timestamptz,
    check ((withdrawn_by is null) = (withdrawn_at is null))
);

alter table case_note enable row level security;
alter table task_force_member enable row level security;
alter table case_task enable row level security;
alter table case_review enable row level security;
alter table case_photo enable row level security;
alter table publication enable row level security;

create policy region_scope on case_note using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on task_force_member using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on case_task using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on case_review using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on case_photo using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on publication using (current_setting('guitu.region', true) in ('*', region_code));
