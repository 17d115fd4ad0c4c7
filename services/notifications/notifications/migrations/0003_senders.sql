-- Several senders and channels; a plan for scarce capacity; what is out of time is said to be so.
-- A service migrates before it starts and notices are few (10,000 a case), so short locks are taken on purpose; a
-- constraint that is replaced allows all that the old one did.
-- squawk-ignore-file require-concurrent-index-creation, require-concurrent-index-deletion, ban-drop-constraint, constraint-missing-not-valid

-- How each sender did lately, for all processes: a sender that is down is left alone by everyone.
create table sender_health (
    sender text primary key,
    -- {"failed_at": [Unix seconds, ...], "rests_until": Unix seconds or null, "trips": 0, "code": ""}
    health jsonb not null
);

alter table delivery add column channel text not null default 'sms'
    constraint delivery_channel check (channel in ('sms', 'voice', 'webhook'));
-- First stand-downs and orders (0), then new and near (1), then all else by rank_at, which ages: nobody waits for ever.
alter table delivery add column rank_at timestamptz not null default now();
alter table delivery add column expires_at timestamptz not null default now() + interval '6 hours';
alter table delivery add column expired_at timestamptz;
-- Senders that refused this message for a reason of theirs; another may still take it.
alter table delivery add column refused_by text[] not null default '{}';
-- Sent once more although nobody could say whether the first had arrived: only for what lives depend on.
alter table delivery add column resent_blind boolean not null default false;
alter table delivery drop constraint delivery_state_check;
alter table delivery add constraint delivery_state_check check (state in
    ('queued', 'sending', 'unknown', 'accepted', 'sent', 'delivered', 'failed', 'expired', 'cancelled')) not valid;
alter table delivery validate constraint delivery_state_check;
-- A call to somebody who did not answer an SMS is another delivery of the same notice.
alter table delivery drop constraint delivery_notice_id_contact_id_key;
create unique index delivery_once_a_channel on delivery (notice_id, contact_id, channel);
drop index delivery_once_a_version;
create unique index delivery_once_a_version on delivery (case_id, version, contact_id, channel)
    where kind in ('raised', 'updated', 'widened');
drop index delivery_due;
create index delivery_due on delivery (least(priority, 2), rank_at, distance_km) where state = 'queued';

alter table attempt add column sender text not null default '';
alter table attempt add column body text not null default '';
-- How often the provider was asked what became of it and could not say; a look-up that we did not finish is none.
alter table attempt add column lookups_failed smallint not null default 0;
comment on column attempt.body is 'The text as it was sent, so that a look-up compares with exactly that.';
alter table attempt drop constraint attempt_state_check;
alter table attempt add constraint attempt_state_check check (state in
    ('posting', 'unknown', 'accepted', 'rejected', 'not_sent', 'absent', 'given_up')) not valid;
alter table attempt validate constraint attempt_state_check;
create index attempt_under_way on attempt (sender, started_at)
    where state in ('posting', 'accepted') and status_rank < 4;
