"""Brings a county's own network in: from an OpenStreetMap extract, GeoJSON or CSV, checked as a whole, with a report.

Every source ends as the same rows (`assembling.NetworkFiles`); nothing here knows the database (`dispatch.seed`).
"""
