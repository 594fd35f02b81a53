"""Models of fatigue from the literature, a file each: predictions from work, never facts about a person.

Nothing here makes an alert, a hold or an order of riders.
"""
