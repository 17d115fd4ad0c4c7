-- What each sender sent within the last second: one row a sender, so that its limit holds over processes and restarts.
create table sender_budget (
    sender text primary key,
    -- [[Unix seconds, segments], ...]
    sent jsonb not null
);
