-- When a notice's page was first opened, and the same notice sent to the same contact once more because a person asked.
-- A service migrates before it starts and notices are few (10,000 a case), so short locks are taken on purpose; each
-- unique index that is replaced allows all that the old one did, and the version before writes `again` as 0.
-- squawk-ignore-file require-concurrent-index-creation, require-concurrent-index-deletion

alter table delivery add column opened_at timestamptz;
comment on column delivery.opened_at is 'First opening of the notice page by what looks like a person; no acknowledgement.';
alter table delivery add column again smallint not null default 0;
comment on column delivery.again is '0 is what the plan sent; 1, 2, ... is what a person sent once more.';

create unique index delivery_once_a_channel_each_time on delivery (notice_id, contact_id, channel, again);
drop index delivery_once_a_channel;
create unique index delivery_once_a_version_each_time on delivery (case_id, version, contact_id, channel, again)
    where kind in ('raised', 'updated', 'widened');
drop index delivery_once_a_version;
create unique index delivery_one_stand_down_each_time on delivery (case_id, contact_id, again)
    where kind = 'stood_down';
drop index delivery_one_stand_down;
