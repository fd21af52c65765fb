"""The record database: tables, queries, migrations, written once for SQLite and PostgreSQL."""
