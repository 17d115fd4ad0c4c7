-- How good the newest plan is, and why it was made, for everybody who looks at a case.

alter table plan_line add column figures jsonb;
comment on column plan_line.figures is 'Verdict, probability with its interval, bound and gap; null until the second look.';
alter table plan_line add column cause text not null default '';
