from tests.store.fixtures import database_url, sqlite_store, store

__all__ = ["database_url", "sqlite_store", "store"]
