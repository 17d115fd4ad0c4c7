-- Where a network version comes from, whether it is a drawing, who brought it in; staffed places; timetables.

alter table network_version
add column source_kind text not null default 'csv' check (source_kind in ('csv', 'geojson', 'osm')),
add column source text not null default '',
add column schematic boolean not null default false,
add column imported_by text not null default '',
add column note text not null default '';

alter table network_place
add column staffed boolean not null default false;

-- Seconds after midnight in Beijing, past 86400 after midnight; days are the digits of the days on which a trip begins.
create table network_timetable (
    region_code text not null,
    version text not null,
    ordinal integer not null,
    line_id text not null,
    trip_id text not null,
    mode text not null check (mode in ('bus', 'ferry')),
    stop_sequence integer not null,
    node_id text not null,
    arrive_s integer not null,
    depart_s integer not null check (depart_s >= arrive_s),
    days text not null,
    primary key (region_code, version, ordinal),
    foreign key (region_code, version) references network_version
);
