"""The tables of what cameras saw, and the list in which all tables stand: `schema` adds the others."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table

from service.store.portable import NUMBER, TEXT

tables = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

person_seconds = Table(
    "person_seconds",
    tables,
    Column("camera", TEXT, primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True),
    Column("zone", TEXT, primary_key=True),  # empty: counted before zones were told apart
    Column("equipment", TEXT, primary_key=True),
    Column("state", TEXT, primary_key=True),
    Column("seconds", Float, nullable=False),
)

heights = Table(
    "heights",
    tables,
    Column("camera", TEXT, primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True),
    Column("bin", Integer, primary_key=True),
    Column("people", Integer, nullable=False),
)

recordings = Table(
    "recordings",
    tables,
    Column("id", NUMBER, primary_key=True),
    Column("camera", TEXT, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("written_ms", BigInteger, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("packed", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_recordings_camera", recordings.c.camera, recordings.c.id)
