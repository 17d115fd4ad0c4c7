"""Tells sites and units, and hears what they answer.

Decides: which sites are told and in which order, what fits into one SMS, when an unanswered notice escalates.
Facts in: AlertRaised, AlertUpdated, AreaWidened, AlertStoodDown, InterceptionOrdered, OrderStoodDown.
Facts out: NoticeQueued, NoticeAccepted, NoticeDelivered, NoticeFailed, NoticeAcknowledged, NoticeEscalated,
SightingReported. Phone numbers stay in this service's schema.
"""
