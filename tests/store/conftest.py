from tests.store.fixtures import database_url, postgres, sqlite_store, store

__all__ = ["database_url", "postgres", "sqlite_store", "store"]
