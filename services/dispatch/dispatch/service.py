"""What the ground runs as dispatch."""

from __future__ import annotations

from dispatch.agents import REACTIONS, start
from dispatch.api import routers
from dispatch.live_handlers import expire_conditions, replan_wished
from dispatch.second_look import look_at_plans
from dispatch.sweeps import pass_on_overdue, plan_waiting
from guitu.service import Service, Sweep

SERVICE = Service(
    name="dispatch",
    title="Guitu dispatch 堵截指令",
    routers=routers,
    reactions=REACTIONS,
    sweeps=(
        Sweep("orders_overdue", 1.0, pass_on_overdue),
        Sweep("plans_waiting", 2.0, plan_waiting),
        Sweep("conditions_over", 1.0, expire_conditions),
        Sweep("replans_wished", 1.0, replan_wished, woken=True),
        Sweep("plans_looked_at", 1.0, look_at_plans, woken=True),
    ),
    start=start,
)
