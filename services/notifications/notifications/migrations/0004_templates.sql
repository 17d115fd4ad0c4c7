-- An operator's wording of texts; a version is never changed, only retired. What comes with the software is no row.
create table template (
    recipient_kind text not null,
    language text not null check (language in ('zh', 'en')),
    stage text not null,
    version integer not null check (version >= 1),
    body text not null,
    -- Why it was changed, by whom and when: shown with its history.
    note text not null default '',
    made_by text not null,
    made_at timestamptz not null,
    retired_at timestamptz,
    primary key (recipient_kind, language, stage, version)
);
