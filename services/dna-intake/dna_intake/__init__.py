"""DNA intake: the parents' sample of every case, specimens in custody, and profiles under lock.

Decides when a parents' sample is due, which custody moves are legal and whether a profile is sound; it says
what a cross-matching request waits for. The kinship search is not part of this version: nothing pretends to
match. Facts in: AlertRaised, AlertUpdated, AreaWidened, AlertStoodDown. Facts out: SampleRequested,
SampleRegistered, CustodyMoved, ProfileAccepted, CrossMatchRequested. Genotypes never leave its database.
"""
