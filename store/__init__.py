"""PostgreSQL: all SQL, one file per noun."""
