create table seen (
    report_id uuid not null,
    note text not null
);
