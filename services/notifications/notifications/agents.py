"""Which fact goes to which handler; the ground reads the topics and owns inbox, retries and dead letters."""

from __future__ import annotations

from contracts.alert import AlertRaised, AlertStoodDown, AlertUpdated, AreaWidened
from contracts.order import InterceptionOrdered, OrderStoodDown
from guitu.service import Reaction
from notifications import handlers

REACTIONS = (
    Reaction(AlertRaised, handlers.on_alert_raised),
    Reaction(AlertUpdated, handlers.on_alert_updated),
    Reaction(AreaWidened, handlers.on_area_widened),
    Reaction(AlertStoodDown, handlers.on_alert_stood_down),
    Reaction(InterceptionOrdered, handlers.on_interception_ordered),
    Reaction(OrderStoodDown, handlers.on_order_stood_down),
)
