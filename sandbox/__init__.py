"""A stand-in payment provider: its own HTTP service with a hosted payment page."""
