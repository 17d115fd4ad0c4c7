-- Who may sit at the screen. Nothing here comes from a topic, so a rebuild of the projection leaves it alone.

create table account (
    subject text primary key,
    role text not null,
    region_code text not null,
    password_hash text not null,
    generation integer not null default 1,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    disabled_at timestamptz
);
comment on column account.subject is 'The login name; never a person''s name.';
comment on column account.generation is 'Grows when role, region or password change or all sessions are to end; a session of an older one is over.';

create table session (
    id_hash bytea primary key,
    subject text not null,
    role text not null,
    region_code text not null,
    origin text not null,
    generation integer,
    csrf text not null,
    sealed_tokens bytea,
    token_expires_at timestamptz,
    started_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    ended_why text
);
comment on column session.id_hash is 'SHA-256 of what the cookie holds; the cookie itself is nowhere.';
comment on column session.origin is 'account, token, link or oidc: how the person proved who they are.';
comment on column session.generation is 'Of the account when it began; null if there is no account behind it.';
comment on column session.sealed_tokens is 'The issuer''s tokens, sealed with a key of this purpose; null where this node signs its own.';
create index session_subject on session (subject) where ended_at is null;
create index session_expires on session (expires_at);

create table login_link (
    token_hash bytea primary key,
    subject text not null,
    role text not null,
    region_code text not null,
    expires_at timestamptz not null,
    used_at timestamptz
);

create table login_failure (
    who text primary key,
    failures integer not null,
    last_at timestamptz not null,
    wait_until timestamptz not null
);
comment on column login_failure.who is 'account:NAME or address:IP; forgotten a day after the last failure.';
