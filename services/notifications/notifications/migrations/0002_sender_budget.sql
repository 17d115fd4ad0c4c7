-- How much of its rate a sender has left: one row a sender, so that the limit holds over processes and restarts.
create table sender_budget (
    sender text primary key,
    tokens double precision not null,
    counted_at timestamptz not null
);
