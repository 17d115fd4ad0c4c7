"""The rules of interception, pure: where could they be, who can be where first, what stays open.

Numpy and scipy only; no file, no clock, no database. Read in this order: `tables` and `network` (the roads),
`reach` (where could they be), `problem` (question and answer), `plan` (the first valid plan), `replan`
(a sighting comes in), `orders` (an order's life).
"""
