"""What central remembers: SQLAlchemy Core over SQLite or PostgreSQL."""
