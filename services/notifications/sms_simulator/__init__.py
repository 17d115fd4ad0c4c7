"""A far side to practise on: Twilio's Messages API, its callbacks and the phones behind it, in one process.

It speaks REST API 2010-04-01 to the real `twilio` client, signs its callbacks as Twilio does, plays phones
that reply, and breaks on demand and by seed: refused, hung, lost, doubled, late. It never reaches a real
phone. It imports nothing from the rest of this repository, so that both sides cannot share one mistake.
"""
