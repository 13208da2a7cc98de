#!/bin/sh
# Runs once, when PostgreSQL's volume is empty: a plain role and database for each of checkout and Temporal.
# Row-level security binds only roles that are neither superusers nor BYPASSRLS, so the service gets a plain one.
set -eu

psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv checkout_password CHECKOUT_DATABASE_PASSWORD
\getenv temporal_password TEMPORAL_DATABASE_PASSWORD
CREATE ROLE checkout LOGIN PASSWORD :'checkout_password';
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE DATABASE checkout OWNER checkout;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
SQL
