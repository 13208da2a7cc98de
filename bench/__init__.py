"""Speed and cost, measured; never a timed test."""
