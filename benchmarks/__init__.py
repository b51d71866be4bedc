"""``make bench``: the budgets as ratios, each taken in one run against its own baseline."""
