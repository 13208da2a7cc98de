"""What brings a session on whose workflow ended before its time, and back together what rows and gateway disagree on."""
