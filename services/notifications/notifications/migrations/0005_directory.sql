-- Duty hours, retirement and opt-outs of contacts; nil reports and drills.
-- Every new column has a constant default or none, so that no table is rewritten and the version before still writes.

alter table site add column retired_at timestamptz;
comment on column site.retired_at is 'No longer told; kept because deliveries refer to it.';

alter table contact
    add column retired_at timestamptz,
    add column opted_out_at timestamptz,
    add column sms_ok boolean not null default true,
    add column webhook_url text,
    add column duty_hours text not null default '',
    -- Minutes of the week in Beijing time; Monday 00:00 is 0. The default is always.
    add column on_duty int4multirange not null default '{[0,10080)}';
-- Only contacts with a webhook have no phone, and the version before knows none of those.
-- squawk-ignore ban-drop-not-null
alter table contact alter column phone drop not null;
comment on column contact.sms_ok is 'False for numbers that take calls only, such as fixed lines.';
comment on column contact.duty_hours is 'As it was written in the file; on_duty is what it means.';
-- Rows of before have a phone, so nothing is left to validate.
alter table contact add constraint contact_reachable
    check (num_nonnulls(phone, webhook_url) >= 1) not valid;

-- Replaced by a wider one below; every row that fitted the narrow one fits it.
-- squawk-ignore ban-drop-constraint
alter table notice drop constraint notice_kind_check;
alter table notice add constraint notice_kind_check check (kind in
    ('raised', 'updated', 'widened', 'order', 'order_stood_down', 'stood_down', 'drill', 'nil_report')) not valid;

create table drill (
    -- A drill has a case of its own, which no other service knows.
    case_id uuid primary key references known_case (case_id),
    site_id uuid not null references site (site_id),
    delivery_id uuid not null unique references delivery (id),
    region_code text not null,
    started_by text not null,
    started_at timestamptz not null
);
create index drill_by_region on drill (region_code, started_at);
alter table drill enable row level security;
create policy region_scope on drill
    using (current_setting('guitu.region', true) in ('*', region_code));
