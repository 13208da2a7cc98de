"""The checker: judges sessions by ledger, tables and histories, and never asks the service whether it is right."""
