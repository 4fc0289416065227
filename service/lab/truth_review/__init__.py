"""How person truth is decided: a plain rule over the labels, and what was decided by looking where the rule can't."""
