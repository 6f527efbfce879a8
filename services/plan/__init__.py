"""Plan: policies, budgets and the portfolio; it decides what is funded."""
