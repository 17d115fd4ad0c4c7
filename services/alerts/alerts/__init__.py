"""Alerts: from one missing-child report to an alert, and the case it opens until it is closed for everyone.

Decides the tier, the versions, the rings and the stand-down; recognises a second report of the same child and
leaves the merge to a person; keeps names, phones and photos in a vault with a key for each case. Facts in:
ReportFiled from outside systems, and the facts of orders, notices, sightings and DNA for the case's live
status. Facts out: ReportFiled, AlertRaised, AlertUpdated, AreaWidened, AlertStoodDown, SightingReported,
SightingAssessed.
"""
