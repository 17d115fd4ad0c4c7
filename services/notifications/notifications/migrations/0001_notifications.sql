-- Sites and contacts are master data (python -m notifications.seed); the rest is the life of notices.

create table site (
    site_id uuid primary key,
    category text not null,
    name_zh text not null,
    name_en text not null,
    township_code text not null,
    lon double precision not null check (lon between -180 and 180),
    lat double precision not null check (lat between -90 and 90),
    region_code text not null check (region_code ~ '^\d{6}$'),
    exercise_ok boolean not null
);
create index site_by_latitude on site (lat);
alter table site enable row level security;
create policy region_scope on site
    using (current_setting('guitu.region', true) in ('*', region_code));

create table contact (
    contact_id uuid primary key,
    site_id uuid references site (site_id),
    unit_id uuid,
    region_code text not null,
    label text not null,
    role text not null,
    phone text not null check (phone ~ '^\+[1-9]\d{6,14}$'),
    language text not null check (language in ('zh', 'en')),
    contact_order integer not null check (contact_order >= 1),
    two_way boolean not null,
    url_ok boolean not null,
    voice boolean not null,
    exercise_list boolean not null,
    check (num_nonnulls(site_id, unit_id) = 1)
);
create index contact_by_site on contact (site_id, contact_order) where site_id is not null;
create index contact_by_unit on contact (unit_id, contact_order) where unit_id is not null;
create index contact_by_phone on contact (phone);
alter table contact enable row level security;
create policy region_scope on contact
    using (current_setting('guitu.region', true) in ('*', region_code));

create table known_case (
    case_id uuid primary key,
    region_code text not null,
    exercise boolean not null,
    case_code text not null,
    version integer not null,
    picture jsonb,
    stood_down_at timestamptz,
    outcome text
);
comment on column known_case.picture is 'The newest alert body; null when only the stand-down was seen.';
alter table known_case enable row level security;
create policy region_scope on known_case
    using (current_setting('guitu.region', true) in ('*', region_code));

create table notice (
    id uuid primary key,
    case_id uuid not null references known_case (case_id),
    version integer not null check (version >= 1),
    kind text not null check (kind in
        ('raised', 'updated', 'widened', 'order', 'order_stood_down', 'stood_down')),
    -- The order's id for notices to units; empty for notices of the alert itself.
    key text not null default '',
    region_code text not null,
    exercise boolean not null,
    content jsonb not null,
    created_at timestamptz not null,
    unique (case_id, version, kind, key)
);
alter table notice enable row level security;
create policy region_scope on notice
    using (current_setting('guitu.region', true) in ('*', region_code));

create table delivery (
    id uuid primary key,
    notice_id uuid not null references notice (id),
    contact_id uuid not null references contact (contact_id),
    case_id uuid not null references known_case (case_id),
    region_code text not null,
    site_id uuid,
    unit_id uuid,
    kind text not null,
    version integer not null,
    key text not null default '',
    priority smallint not null check (priority between 0 and 9),
    distance_km double precision not null default 0,
    state text not null default 'queued' check (state in
        ('queued', 'sending', 'unknown', 'accepted', 'sent', 'delivered', 'failed', 'cancelled')),
    ack_code text not null,
    page_token text not null unique,
    attempts integer not null default 0,
    next_at timestamptz not null,
    queued_at timestamptz not null,
    attempted_at timestamptz,
    accepted_at timestamptz,
    delivered_at timestamptz,
    failed_at timestamptz,
    acknowledged_at timestamptz,
    -- Set while somebody must still answer; the escalation sweep takes it when it is due.
    answer_due_at timestamptz,
    escalated_at timestamptz,
    -- One SMS for each recipient and notice: a message read twice from the broker changes nothing.
    unique (notice_id, contact_id)
);
-- One SMS for each recipient and version of an alert, whichever of its notices asks for it.
create unique index delivery_once_a_version on delivery (case_id, version, contact_id)
    where kind in ('raised', 'updated', 'widened');
create unique index delivery_one_stand_down on delivery (case_id, contact_id) where kind = 'stood_down';
create index delivery_due on delivery (priority, next_at, distance_km) where state = 'queued';
create index delivery_by_case on delivery (case_id, kind);
create index delivery_by_contact on delivery (contact_id, queued_at);
create index delivery_unanswered on delivery (answer_due_at)
    where answer_due_at is not null;
alter table delivery enable row level security;
create policy region_scope on delivery
    using (current_setting('guitu.region', true) in ('*', region_code));

create table attempt (
    id uuid primary key,
    delivery_id uuid not null references delivery (id),
    n integer not null check (n >= 1),
    -- Part of the callback's address, so that a status finds its attempt although the answer was lost.
    token text not null unique,
    provider text not null,
    state text not null check (state in ('posting', 'unknown', 'accepted', 'rejected', 'not_sent', 'absent')),
    lease_until timestamptz not null,
    started_at timestamptz not null,
    settled_at timestamptz,
    provider_id text,
    status_rank smallint not null default 0,
    segments smallint not null default 0,
    code text not null default '',
    looked_up_at timestamptz,
    unique (delivery_id, n)
);
-- At most one open attempt for each delivery: two senders can't both believe it is theirs.
create unique index attempt_one_open on attempt (delivery_id) where state in ('posting', 'unknown');
create unique index attempt_by_provider_id on attempt (provider, provider_id) where provider_id is not null;
create index attempt_open on attempt (lease_until) where state in ('posting', 'unknown');
create index attempt_without_end on attempt (started_at) where state = 'accepted' and status_rank < 5;

create table provider_event (
    event_key text primary key,
    attempt_id uuid references attempt (id),
    status text not null,
    code text not null,
    received_at timestamptz not null
);

create table inbound (
    id uuid primary key,
    provider_id text not null unique,
    contact_id uuid references contact (contact_id),
    phone text not null,
    body text not null,
    meaning text not null,
    delivery_id uuid references delivery (id),
    received_at timestamptz not null
);
comment on table inbound is 'Every SMS that came in, word for word; unknown senders too, unanswered.';

create table escalation (
    id uuid primary key,
    delivery_id uuid not null unique references delivery (id),
    escalated_to text not null check (escalated_to in ('next_contact', 'voice', 'command_centre')),
    region_code text not null,
    escalated_at timestamptz not null
);
alter table escalation enable row level security;
create policy region_scope on escalation
    using (current_setting('guitu.region', true) in ('*', region_code));
