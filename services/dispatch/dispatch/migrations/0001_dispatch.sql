-- What dispatch remembers: road networks in versions, units, cases with their sightings, plans and orders.

create table network_version (
    version text not null,
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    loaded_seq bigint not null,
    loaded_at timestamptz not null,
    primary key (region_code, version)
);

create table network_node (
    region_code text not null,
    version text not null,
    ordinal integer not null,
    node_id text not null,
    lon double precision not null,
    lat double precision not null,
    kind text not null,
    name_zh text not null,
    name_en text not null,
    bus_stop boolean not null,
    pier boolean not null,
    outside boolean not null,
    position_source text not null,
    primary key (region_code, version, ordinal),
    foreign key (region_code, version) references network_version
);

create table network_edge (
    region_code text not null,
    version text not null,
    ordinal integer not null,
    edge_id text not null,
    from_node text not null,
    to_node text not null,
    length_m double precision not null,
    road_class text not null,
    oneway boolean not null,
    walk boolean not null,
    car boolean not null,
    bus boolean not null,
    ferry boolean not null,
    car_speed_kmh double precision not null,
    bus_speed_kmh double precision not null,
    ferry_speed_kmh double precision not null,
    primary key (region_code, version, ordinal),
    foreign key (region_code, version) references network_version
);

create table network_place (
    region_code text not null,
    version text not null,
    ordinal integer not null,
    place_id uuid not null,
    node_id text not null,
    kind text not null,
    name_zh text not null,
    name_en text not null,
    capacity integer not null,
    setup_s double precision not null,
    needs text not null,
    primary key (region_code, version, ordinal),
    foreign key (region_code, version) references network_version
);

create table network_exit (
    region_code text not null,
    version text not null,
    ordinal integer not null,
    exit_id uuid not null,
    node_id text not null,
    kind text not null,
    name_zh text not null,
    name_en text not null,
    neighbour text not null,
    primary key (region_code, version, ordinal),
    foreign key (region_code, version) references network_version
);

create table unit (
    unit_id uuid primary key,
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    code text not null,
    name_zh text not null,
    name_en text not null,
    kind text not null,
    base_node text not null,
    post_place_id uuid,
    capabilities text[] not null,
    shift_start_min integer not null,
    shift_end_min integer not null,
    turnout_s double precision not null,
    active boolean not null
);

create index unit_region on unit (region_code) where active;

-- A stand-down may be read before its alert, after a replay: then the row has no alert and never gets a plan.
create table alert_case (
    case_id uuid primary key,
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    exercise boolean not null,
    case_code text not null,
    version integer not null,
    alert jsonb,
    plan_number integer not null default 0,
    stood_down_as text,
    stood_down_at timestamptz
);

-- Cases that were raised before the county's network was loaded wait here for their plan.
create index alert_case_unplanned on alert_case (region_code)
where plan_number = 0 and stood_down_as is null and alert is not null;

-- An assessment may be read before its sighting; then the row has a verdict and no place.
create table sighting (
    sighting_id uuid primary key,
    case_id uuid not null,
    region_code text not null,
    seen_at timestamptz,
    lon double precision,
    lat double precision,
    mode text,
    verdict text not null default 'unassessed'
        check (verdict in ('unassessed', 'uncertain', 'credible', 'refuted'))
);

create index sighting_case on sighting (case_id);

create table plan (
    plan_id uuid primary key,
    case_id uuid not null references alert_case (case_id),
    region_code text not null,
    plan_number integer not null check (plan_number >= 1),
    made_at timestamptz not null,
    published jsonb not null,
    assignments jsonb not null,
    unique (case_id, plan_number)
);

create table interception_order (
    order_id uuid primary key,
    case_id uuid not null references alert_case (case_id),
    unit_id uuid not null references unit (unit_id),
    place_id uuid not null,
    plan_id uuid not null references plan (plan_id),
    region_code text not null,
    exercise boolean not null,
    case_code text not null,
    state text not null check (state in ('issued', 'accepted', 'in_position', 'nothing_seen', 'intercepted',
        'overdue', 'reassigned', 'stood_down', 'stand_down_acknowledged')),
    respond_by timestamptz not null,
    issued_at timestamptz not null,
    unit_ready_at timestamptz not null,
    arrive_by timestamptz not null,
    earliest_arrival_at timestamptz not null,
    margin_s double precision not null,
    stop jsonb not null,
    closes uuid[] not null,
    reason_zh text not null,
    reason_en text not null,
    child_summary text not null,
    history jsonb not null,
    stand_down_reason text
);

-- One unit never has two open orders, over all cases: the promise behind every plan.
create unique index interception_order_one_a_unit on interception_order (unit_id)
where state in ('issued', 'accepted', 'in_position', 'nothing_seen', 'intercepted', 'overdue');
create index interception_order_case on interception_order (case_id, issued_at);
create index interception_order_due on interception_order (respond_by) where state = 'issued';

alter table unit enable row level security;
alter table alert_case enable row level security;
alter table sighting enable row level security;
alter table plan enable row level security;
alter table interception_order enable row level security;

create policy region_scope on unit
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on alert_case
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on sighting
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on plan
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on interception_order
using (current_setting('guitu.region', true) in ('*', region_code));
