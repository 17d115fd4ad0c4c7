-- The second look at a case's plan: which plan had one, why it is due, and what came of it.

alter table alert_case add column looked_number integer not null default 0;
comment on column alert_case.looked_number is 'The newest plan that had its second look; 0 asks for another.';
alter table alert_case add column look_for text not null default 'update';
alter table alert_case add column look_tries smallint not null default 0;
alter table alert_case add column look_after timestamptz;
comment on column alert_case.look_after is 'Not before: after a failure, and for a look at what time alone has changed.';

-- Open cases are few, whatever the years have left.
create index alert_case_open on alert_case (case_id) where stood_down_as is null and alert is not null;

alter table plan add column proof jsonb;
comment on column plan.proof is 'What its second look found: verdict, proof, and what each unit meets.';
