from tests.store.fixtures import database_url, sqlite_store, store, store_url

__all__ = ["database_url", "sqlite_store", "store", "store_url"]
