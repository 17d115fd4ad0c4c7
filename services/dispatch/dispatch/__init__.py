"""Dispatch: which police unit goes where, in time, and which exits of the county stay open.

Decides the interception plan of a case and every order's life, from issued to acknowledged stand-down. Facts
in: AlertRaised, AlertUpdated, AreaWidened, AlertStoodDown, SightingReported, SightingAssessed. Facts out:
PlanPublished, InterceptionOrdered, OrderAccepted, UnitInPosition, CheckpointReported, OrderOverdue,
OrderStoodDown, StandDownAcknowledged, MutualAidRequested, MutualAidWithdrawn. Owns the road network and its
conditions, checkpoints, units, and the commander's hand.
"""
