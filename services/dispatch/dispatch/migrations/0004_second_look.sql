-- The second look at a case's plan: which plan had one, what asked for another, and what came of it.
-- squawk-ignore-file require-concurrent-index-creation -- a migration runs in a transaction; the table is small and the lock short

alter table alert_case add column looked_number integer not null default 0;
comment on column alert_case.looked_number is 'The newest plan that had its second look.';
alter table alert_case add column look_tries smallint not null default 0;
alter table alert_case add column look_after timestamptz;
comment on column alert_case.look_after is 'Not before: after a failure, and for a look at what time alone has changed.';

-- Open cases are few, whatever the years have left.
create index alert_case_open on alert_case (case_id) where stood_down_as is null and alert is not null;

-- Units' answers ask for another look. A table of its own: an answer holds its order, a plan the case and then its orders.
create table look_wish (
    case_id uuid primary key,
    asked_at timestamptz not null
);

alter table plan add column proof jsonb;
comment on column plan.proof is 'What its second look found: verdict, proof, and what each unit meets.';
