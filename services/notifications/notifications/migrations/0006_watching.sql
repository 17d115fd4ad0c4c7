-- Nobody forgotten, and silence that is loud: tasks for people, alarms, the auditor's runs, nil-reports.

-- How many deliveries were planned for a notice: the auditor counts whether all of them are still there.
alter table notice add column planned integer not null default 0;
-- squawk-ignore ban-drop-constraint
alter table notice drop constraint notice_kind_check;
alter table notice add constraint notice_kind_check check (kind in
    ('raised', 'updated', 'widened', 'order', 'order_stood_down', 'stood_down', 'nil_report', 'drill')) not valid;
-- A few rows a case: checked within milliseconds.
-- squawk-ignore constraint-missing-not-valid
alter table notice validate constraint notice_kind_check;
update notice set planned = (select count(*) from delivery where delivery.notice_id = notice.id);

create table task (
    id uuid primary key,
    case_id uuid references known_case (case_id),
    delivery_id uuid references delivery (id),
    -- The reply that a person must read; each reply is a task of its own.
    inbound_id uuid references inbound (id),
    contact_id uuid references contact (contact_id),
    kind text not null check (kind in ('call_site', 'read_reply', 'person_asked', 'check_contact')),
    region_code text not null,
    exercise boolean not null,
    opened_at timestamptz not null,
    due_at timestamptz not null,
    done_at timestamptz,
    done_by text,
    result text check (result in ('reached_acknowledged', 'reached_sighting', 'not_reached', 'other',
        'acknowledged_after_all', 'stood_down')),
    note text not null default '',
    unique (delivery_id, kind),
    unique (inbound_id, kind),
    check ((done_at is null) = (result is null))
);
create unique index task_one_open_a_contact on task (contact_id, kind)
    where done_at is null and contact_id is not null;
create index task_open on task (due_at) where done_at is null;
create index task_open_of_case on task (case_id) where done_at is null;
alter table task enable row level security;
create policy region_scope on task
    using (current_setting('guitu.region', true) in ('*', region_code));

create table alarm (
    id uuid primary key,
    kind text not null,
    subject text not null default '',
    -- Null where it concerns the service itself: every region sees it.
    region_code text,
    severity text not null check (severity in ('warning', 'critical')),
    detail jsonb not null,
    opened_at timestamptz not null,
    last_seen_at timestamptz not null,
    closed_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    count integer not null default 1
);
comment on column alarm.detail is 'Ids and numbers; never a phone number or a text.';
create unique index alarm_one_open on alarm (kind, subject) where closed_at is null;
create index alarm_by_time on alarm (opened_at);
alter table alarm enable row level security;
create policy region_scope on alarm
    using (region_code is null or current_setting('guitu.region', true) in ('*', region_code));

-- Callbacks refused for their signature, by minute, of all processes.
create table refused_callback (
    minute timestamptz primary key,
    refused integer not null
);
-- The watch asks for the last half hour only; a block range index costs the sending next to nothing,
-- and is built within one reading of the table.
-- squawk-ignore require-concurrent-index-creation
create index attempt_by_time on attempt using brin (started_at);
-- squawk-ignore require-concurrent-index-creation
create index provider_event_by_time on provider_event using brin (received_at);

create table audit_run (
    id uuid primary key,
    ran_at timestamptz not null,
    took_ms integer not null,
    checked integer not null,
    found integer not null,
    -- The first of them: [{"fault": ..., "delivery_id": ..., "notice_id": ..., "case_id": ..., "region_code": ...}]
    violations jsonb not null
);
create index audit_run_by_time on audit_run (ran_at);

create table alarm_page (
    id uuid primary key,
    -- Ten minutes of the clock: two processes that page at once ask for one page.
    slot bigint not null unique,
    reason text not null,
    state text not null check (state in ('pending', 'sending', 'sent', 'failed')),
    created_at timestamptz not null,
    started_at timestamptz,
    ended_at timestamptz,
    code text not null default ''
);

create table nil_report_timer (
    case_id uuid not null references known_case (case_id),
    contact_id uuid not null references contact (contact_id),
    -- The newest notice that this contact acknowledged.
    delivery_id uuid not null references delivery (id),
    region_code text not null,
    heard_at timestamptz not null,
    asked_at timestamptz,
    rounds smallint not null default 0,
    primary key (case_id, contact_id)
);
alter table nil_report_timer enable row level security;
create policy region_scope on nil_report_timer
    using (current_setting('guitu.region', true) in ('*', region_code));
