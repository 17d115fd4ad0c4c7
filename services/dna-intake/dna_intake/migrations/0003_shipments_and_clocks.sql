-- squawk-ignore-file require-concurrent-index-creation -- a migration runs in a transaction; the tables are small
-- Clocks of the laboratory's steps, specimens taken again, seals that were broken, and boxes on their way.

alter table specimen
-- The specimen that failed and that this one takes the place of.
add column resample_of uuid,
add column tries smallint not null default 1 check (tries between 1 and 100),
-- When the next step should be done, and when it was noticed that it was not.
add column due_at timestamptz,
add column overdue_at timestamptz;

alter table specimen add constraint specimen_resample_of_fkey
foreign key (resample_of) references specimen (id) not valid;

-- A failed specimen has one successor.
create unique index specimen_resample on specimen (resample_of) where resample_of is not null;
create index specimen_due on specimen (due_at) where due_at is not null;
create index specimen_due_unnoticed on specimen (due_at) where due_at is not null and overdue_at is null;

alter table sample_request add column tries smallint not null default 1;

-- A move that broke the seal says which one it found; one that loses the specimen may say why.
alter table custody_move
add column seal_found text not null default '',
add column reason text not null default '';

create table shipment (
    id uuid primary key,
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    exercise boolean not null,
    seal text not null,
    sent_from text not null,
    laboratory text not null,
    sent_at timestamptz not null,
    sent_by text not null,
    received_at timestamptz,
    received_by text,
    seal_found text,
    seal_intact boolean,
    check ((received_at is null) = (seal_intact is null) and (received_at is null) = (seal_found is null)),
    -- A seal's number is used once; so a list that is sent again is the same shipment.
    unique (region_code, seal)
);

create index shipment_sent on shipment (region_code, sent_at);

create table shipment_item (
    shipment_id uuid not null references shipment (id),
    specimen_id uuid not null references specimen (id),
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    outcome text not null check (outcome in ('sent', 'received', 'missing', 'seal_refused', 'moved_on')),
    changed_at timestamptz not null,
    primary key (shipment_id, specimen_id)
);

-- A tube is in one box at a time.
create unique index shipment_item_on_its_way on shipment_item (specimen_id) where outcome = 'sent';
create index shipment_item_held on shipment_item (specimen_id) where outcome in ('missing', 'seal_refused');

-- What was in a box and not on its list: it was not received.
create table shipment_extra (
    shipment_id uuid not null references shipment (id),
    barcode text not null,
    region_code text not null check (region_code ~ '^[0-9]{6}$'),
    seen_at timestamptz not null,
    primary key (shipment_id, barcode)
);

alter table shipment enable row level security;
alter table shipment_item enable row level security;
alter table shipment_extra enable row level security;

create policy region_scope on shipment
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on shipment_item
using (current_setting('guitu.region', true) in ('*', region_code));
create policy region_scope on shipment_extra
using (current_setting('guitu.region', true) in ('*', region_code));
