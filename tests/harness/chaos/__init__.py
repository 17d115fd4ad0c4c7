"""One engine for faults on the whole system: `tests/faults` runs it short, `bench/faults.py` long.

`script` says what flows (seeded), `desk` and `feeder` hand it in as patiently as outside systems do, `promises`
keeps what was accepted, `faults` strikes by a seeded schedule, `watch` says when things are back, and `audit`
compares every service's own tables and the SMS provider's journal with what was promised. `pages` keeps pages of
the console open all the time, and `rebuilding` builds its picture anew in the end. The auditor shares no code with the
services: it has its own words for who reads what, who lies in a ring, what an SMS says and how a page follows a stream.

Decides what counts as lost, doubled or wrong (`checks`, `checks_sms`, `checks_console`); knows nothing of how services
work.
"""
