-- What changes while a case runs: roads, units, the commander's own hand, and what neighbours were asked for.

-- One row a road or place that is closed or slow now; history is in the audit log. Ids of edges outlive a version of
-- the network, so there is no foreign key: what the newest version does not have counts for nothing.
create table road_condition (
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    kind text not null check (kind in ('edge', 'place')),
    subject text not null,
    closed boolean not null,
    traffic_factor double precision not null check (traffic_factor > 0 and traffic_factor <= 1),
    until timestamptz,
    note text not null,
    set_by text not null,
    set_at timestamptz not null,
    primary key (region_code, kind, subject)
);

create index road_condition_due on road_condition (until) where until is not null;

-- Beside the table of units, which every load of the county's files rewrites.
create table unit_live (
    unit_id uuid primary key references unit (unit_id),
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    status text not null default 'available' check (status in ('available', 'busy', 'off_duty', 'broken_down')),
    status_note text not null default '',
    status_at timestamptz,
    status_by text not null default '',
    lon double precision check (lon between -180 and 180),
    lat double precision check (lat between -90 and 90),
    position_at timestamptz,
    position_by text not null default '',
    capabilities text[],
    capabilities_by text not null default '',
    check ((lon is null) = (lat is null) and (lon is null) = (position_at is null))
);

-- The commander's hand; a command that was taken back keeps its row, for somebody will ask.
create table command (
    command_id uuid primary key,
    case_id uuid not null references alert_case (case_id),
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    kind text not null check (kind in ('pin', 'forbid')),
    unit_id uuid references unit (unit_id),
    place_id uuid,
    -- Only with a place set by hand: a node of the network, and what people call it.
    by_hand_node text,
    by_hand_name text not null default '',
    by_hand_needs text not null default '',
    note text not null,
    set_by text not null,
    set_at timestamptz not null,
    withdrawn_by text,
    withdrawn_at timestamptz,
    check (unit_id is not null or place_id is not null),
    check (kind = 'forbid' or (unit_id is not null and place_id is not null))
);

-- One place a unit: a second pin replaces the first.
create unique index command_one_pin_a_unit on command (case_id, unit_id)
where kind = 'pin' and withdrawn_at is null;
create index command_case on command (case_id, set_at);

create table mutual_aid (
    request_id uuid primary key,
    case_id uuid not null references alert_case (case_id),
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    exercise boolean not null,
    case_code text not null,
    neighbour text not null,
    exit_id uuid not null,
    exit_name_zh text not null,
    exit_name_en text not null,
    earliest_arrival_at timestamptz not null,
    asked_at timestamptz not null,
    state text not null check (state in ('requested', 'accepted', 'refused', 'withdrawn')),
    manned_from timestamptz,
    answered_by text not null default '',
    answered_at timestamptz,
    note text not null default '',
    withdrawn_at timestamptz,
    withdrawn_reason text,
    check (state <> 'accepted' or manned_from is not null)
);

-- A neighbour is asked once about an exit of a case, until the request is withdrawn.
create unique index mutual_aid_once on mutual_aid (case_id, neighbour, exit_id) where state <> 'withdrawn';
create index mutual_aid_region on mutual_aid (region_code, asked_at);

-- Cases to be planned again because something outside them changed; a timer takes them one by one.
create table replan_wish (
    case_id uuid primary key references alert_case (case_id),
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    cause text not null,
    asked_at timestamptz not null
);

create index replan_wish_asked on replan_wish (asked_at);

-- Old versions of the service neither write nor read it.
alter table interception_order add column stand_down_cause text not null default '';

alter table road_condition enable row level security;
alter table unit_live enable row level security;
alter table command enable row level security;
alter table mutual_aid enable row level security;
alter table replan_wish enable row level security;

create policy region_scope on road_condition
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on unit_live
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on command
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on mutual_aid
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on replan_wish
using (current_setting('guitu.region', true) in ('*', region_code));
