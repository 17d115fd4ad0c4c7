-- Row-level security where 0005 left it out: what hangs on a search or a candidate is seen by whoever sees that one.
--
-- Each policy asks the row above, whose own policy holds inside the question. A line of the log without a specimen is
-- of a comparison of all with all: it belongs to every region, and so does the run.

alter table search_log enable row level security;
alter table search_part enable row level security;
alter table second_tier_result enable row level security;
alter table review enable row level security;
alter table reveal enable row level security;
alter table all_against_all enable row level security;

create policy region_scope on search_log
using (
    current_setting('guitu.region', true) = '*'
    or exists (select from specimen where specimen.id = search_log.specimen_id)
);
create policy region_scope on search_part
using (
    current_setting('guitu.region', true) = '*'
    or exists (select from search where search.id = search_part.search_id)
);
create policy region_scope on second_tier_result
using (
    current_setting('guitu.region', true) = '*'
    or exists (select from candidate where candidate.id = second_tier_result.candidate_id)
);
create policy region_scope on review
using (
    current_setting('guitu.region', true) = '*'
    or exists (select from candidate where candidate.id = review.candidate_id)
);
create policy region_scope on reveal
using (
    current_setting('guitu.region', true) = '*'
    or exists (select from candidate where candidate.id = reveal.candidate_id)
);
create policy region_scope on all_against_all
using (current_setting('guitu.region', true) = '*');
