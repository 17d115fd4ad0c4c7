"""DNA intake: samples in custody, profiles under lock, and the kinship search from a profile to a reviewed candidate.

Decides when a parents' sample is due, which custody moves are legal, whether a profile is sound, who is a lead to whom,
and what two reviewers make of it. A lead is not an identification. Facts in: AlertRaised, AlertUpdated, AreaWidened,
AlertStoodDown, and its own ProfileAccepted, whose partitions say which profiles a process holds. Facts out:
SampleRequested, SampleRegistered, CustodyMoved, ProfileAccepted, CrossMatchRequested, CrossMatchCompleted,
CandidateFound, CandidateReviewed, GateDecided. Genotypes never leave its database but for the matcher's memory.
"""
