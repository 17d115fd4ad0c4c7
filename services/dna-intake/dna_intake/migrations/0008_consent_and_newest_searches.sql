-- squawk-ignore-file require-concurrent-index-creation -- a migration runs in a transaction; short locks are fine here
-- When the giver's signed consent was seen, and the newest searches for who looks after them.

-- The paper stays at the station and bears the second label: no name or number of it stands here.
alter table specimen add column consent_at timestamptz;
comment on column specimen.consent_at is 'When somebody stated that the giver signed the consent form; null: not stated.';

create index search_newest on search (requested_at);
