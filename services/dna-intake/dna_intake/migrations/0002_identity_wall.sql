-- squawk-ignore-file require-concurrent-index-creation -- a migration runs in a transaction; no row has a link yet
-- The identity wall: a specimen no longer says whose case it belongs to.
--
-- case_link is an HMAC-SHA256 over the case id, to find the specimens of a case whose id one knows; case_sealed
-- is the case id under AES-256-GCM, to say to which case something goes. Both keys come from GUITU_VAULT_KEY,
-- which PostgreSQL never sees, so rows that still have a plain case_id can't be moved here: the service does it
-- (identity.move_plain_links), again and again, since a service of the version before may still run beside it.
-- The old column stays, and stays empty; a later migration drops it.

alter table specimen
add column case_link bytea check (octet_length(case_link) = 32),
add column case_sealed bytea,
-- What the person is to the missing child, and the sex in the register; both optional.
add column relation text check (relation in (
    'father', 'mother', 'full_sibling', 'paternal_grandfather', 'paternal_grandmother', 'maternal_grandfather',
    'maternal_grandmother', 'uncle_aunt'
)),
add column registered_sex text check (registered_sex in ('male', 'female'));

-- Both columns are new and empty, so every old row holds to this; only new ones need a look.
alter table specimen add constraint specimen_link_whole
check ((case_link is null) = (case_sealed is null) and (case_link is null or case_id is null)) not valid;

create index specimen_case_link on specimen (case_link) where case_link is not null;
