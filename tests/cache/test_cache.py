"""The vector cache by itself: bits, time to live, damage, size, and many processes at once."""

import sqlite3
import subprocess
import sys
import threading

import numpy as np
import pytest

from monitor.cache import CachedVector, KnownFailure, KnownSource, VectorCache, remove
from monitor.cache.store import DAY
from monitor.errors import CacheError

SHA = "ab" * 32
OTHER = "cd" * 32


def row(seed: int = 0, width: int = 256) -> CachedVector:
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=7).astype(np.float32)
    quality[2] = np.nan
    return CachedVector(rng.normal(size=width).astype(np.float32), quality)


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_vector_comes_back_with_its_bits_in_another_process(tmp_path):
    odd = np.array([0.1, -0.0, np.nan, np.inf, 1e-45, 3.4e38], dtype=np.float32)
    with VectorCache(tmp_path) as cache:
        cache.add_vector("maker", SHA, CachedVector(odd, row().quality))
    code = (
        "import sys; from monitor.cache import VectorCache\n"
        f"found = VectorCache(sys.argv[1]).vector('maker', '{SHA}')\n"
        "print(found.vector.tobytes().hex(), found.quality.tobytes().hex(), found.vector.dtype)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    bits = [odd.tobytes().hex(), row().quality.tobytes().hex(), "float32"]
    assert done.stdout.split() == bits


def test_a_vector_is_of_one_maker_and_one_image(tmp_path):
    with VectorCache(tmp_path) as cache:
        cache.add_vector("maker", SHA, row(1))
        cache.add_vector("other", SHA, row(2))
        cache.commit()
        assert cache.vector("maker", OTHER) is None
        assert cache.vector("nobody", SHA) is None
        assert (cache.vector("maker", SHA).vector == row(1).vector).all()
        assert (cache.vector("other", SHA).vector == row(2).vector).all()


def test_what_was_not_committed_is_not_there(tmp_path):
    cache = VectorCache(tmp_path)
    cache.add_vector("maker", SHA, row())
    with VectorCache(tmp_path) as second:
        assert second.vector("maker", SHA) is None
        cache.commit()
        assert second.vector("maker", SHA) is not None
    cache.close()


def test_a_source_is_fresh_within_its_time_to_live(tmp_path, clock):
    known = KnownSource(SHA, place="p", etag='"1"', last_modified="Mon", file_state="7:8")
    with VectorCache(tmp_path, ttl_seconds=100, clock=clock) as cache:
        assert cache.source("policy", "url") is None
        cache.add_source("policy", "url", known)
        cache.commit()
        for age, is_fresh in ((0, True), (99, True), (100, False), (-1, False), (1e6, False)):
            clock.now = 1_800_000_000.0 + age
            found = cache.source("policy", "url")
            assert found.is_fresh is is_fresh, age
            fields = (found.sha256, found.place, found.etag, found.last_modified, found.file_state)
            assert fields == (SHA, "p", '"1"', "Mon", "7:8")
        # Another policy may forbid what this one allowed.
        assert cache.source("stricter", "url") is None


def test_a_job_takes_its_own_sources_and_failures_as_done_until_it_is(tmp_path, clock):
    def opened(job, **options):
        return VectorCache(tmp_path, ttl_seconds=0, job=job, clock=clock, **options)

    with opened("one") as cache:
        cache.add_source("p", "url", KnownSource(SHA))
        cache.add_failure("p", "gone", KnownFailure("http_404", "url"))
    clock.now += 1_000
    for is_forced in (False, True):
        with opened("one", is_forced=is_forced) as cache:
            assert cache.source("p", "url").is_fresh
            assert cache.failure("p", "gone") == KnownFailure("http_404", "url")
    with opened("two") as cache:
        assert not cache.source("p", "url").is_fresh
        assert cache.failure("p", "gone") is None
    with opened("two", is_forced=True) as cache:
        assert cache.source("p", "url") is None
    clock.now += 8 * DAY
    with opened("one") as cache:
        assert not cache.source("p", "url").is_fresh
        assert cache.failure("p", "gone") is None
        clock.now -= 8 * DAY
        cache.finish_job()
        assert not cache.source("p", "url").is_fresh
        assert cache.failure("p", "gone") is None


def test_no_secret_is_written(tmp_path):
    with VectorCache(tmp_path, job="j") as cache:
        url = "https://me:hunter2@example.com/a?token=hunter2"
        cache.add_vector("maker", SHA, row())
        cache.add_source("p", url, KnownSource(SHA))
        cache.add_failure("p", url, KnownFailure("http_404", "example.com"))
        cache.commit()
        assert not any(b"hunter2" in file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.parametrize("column", ["vector", "quality", "sha256", "maker"])
def test_a_flipped_bit_makes_a_vector_absent_and_never_wrong(tmp_path, column):
    with VectorCache(tmp_path) as cache:
        cache.add_vector("maker", SHA, row())
        cache.add_vector("other", OTHER, row(1))
        path = cache.path
    database = sqlite3.connect(path)
    if column == "maker":
        database.execute("UPDATE vectors SET maker = 3 - maker")
    else:
        ((blob,),) = database.execute(f"SELECT {column} FROM vectors WHERE maker = 1")
        bad = bytes([blob[0] ^ 1]) + blob[1:]
        database.execute(f"UPDATE vectors SET {column} = ? WHERE maker = 1", (bad,))
    database.commit()
    database.close()
    with VectorCache(tmp_path) as cache:
        assert cache.vector("maker", SHA) is None
        assert cache.vector("other", SHA) is None
        if column == "sha256":
            assert cache.vector("maker", "aa" + SHA[2:]) is None
        # It is made again.
        cache.add_vector("maker", SHA, row())
        cache.commit()
        assert (cache.vector("maker", SHA).vector == row().vector).all()


def test_a_damaged_or_foreign_file_is_told_and_left(tmp_path):
    with VectorCache(tmp_path) as cache:
        for i in range(200):
            cache.add_vector("maker", f"{i:064x}", row(i))
        path = cache.path
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"x" * 4_000 + whole[4_100:])
    with pytest.raises(CacheError, match=r"is damaged .* `monitor cache prune --all`"):
        VectorCache(tmp_path)
    path.write_bytes(b"something else altogether" * 400)
    with pytest.raises(CacheError, match="is damaged"):
        VectorCache(tmp_path)
    path.unlink()
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE theirs (a)")
    foreign.execute("PRAGMA application_id = 7")
    foreign.commit()
    foreign.close()
    with pytest.raises(CacheError, match="of another program: name another folder"):
        VectorCache(tmp_path)
    with pytest.raises(CacheError, match="left as it is"):
        remove(tmp_path)
    assert path.is_file()


def test_damage_deep_in_the_file_gives_an_error_or_the_right_bits(tmp_path):
    with VectorCache(tmp_path) as cache:
        for i in range(300):
            cache.add_vector("maker", f"{i:064x}", row(i))
        path = cache.path
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    n_right = n_absent = n_told = 0
    for _ in range(60):
        damaged = bytearray(whole)
        for at in rng.integers(4_096, len(whole), 40):
            damaged[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            with VectorCache(tmp_path) as cache:
                for i in range(0, 300, 7):
                    found = cache.vector("maker", f"{i:064x}")
                    if found is None:
                        n_absent += 1
                    else:
                        assert found.vector.tobytes() == row(i).vector.tobytes()
                        n_right += 1
        except CacheError:
            n_told += 1
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    assert n_right
    assert n_absent + n_told


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match="cannot be made"):
        VectorCache(tmp_path / "file" / "cache")


def test_the_least_used_goes_first(tmp_path, clock):
    with VectorCache(tmp_path, clock=clock) as cache:
        for i in range(400):
            clock.now += 1
            cache.add_vector("maker", f"{i:064x}", row(i))
            cache.add_source("p", str(i), KnownSource(f"{i:064x}"))
        cache.commit()
        clock.now += 2 * 3_600
        for i in range(50):
            cache.vector("maker", f"{i:064x}")
        cache.commit()
        whole = cache.info()
        n_forgotten = cache.prune(max_bytes=whole.n_bytes // 2)
        pruned = cache.info()
        assert pruned.n_bytes <= whole.n_bytes // 2
        assert cache.path.stat().st_size <= whole.n_bytes // 2 + 8_192
        assert 0 < pruned.n_vectors == 400 - n_forgotten == pruned.n_sources
        held = [cache.vector("maker", f"{i:064x}") is not None for i in range(400)]
        # Those used last, and of the others the newest.
        assert all(held[:50])
        assert held[50:] == sorted(held[50:])
        assert cache.prune(unused_for_seconds=3_600) == pruned.n_vectors - 50
        assert cache.info().n_sources == 50


def test_closing_keeps_to_the_largest_size(tmp_path):
    with VectorCache(tmp_path, max_bytes=200_000) as cache:
        for i in range(400):
            cache.add_vector("maker", f"{i:064x}", row(i))
    with VectorCache(tmp_path) as cache:
        assert 0 < cache.info().n_bytes <= 200_000


def test_info_counts_by_encoder(tmp_path):
    with VectorCache(tmp_path) as cache:
        cache.add_vector("ViT:1 {settings}", SHA, row())
        cache.add_vector("ViT:1 {others}", SHA, row())
        cache.add_vector("RN:2 {settings}", OTHER, row())
        cache.commit()
        assert cache.info().n_vectors_by_encoder == {"RN:2": 1, "ViT:1": 2}
        assert cache.info().n_vectors == 3


WRITER = """
import sys
import numpy as np
from monitor.cache import CachedVector, VectorCache

folder, start = sys.argv[1], int(sys.argv[2])
quality = np.zeros(7, dtype=np.float32)
for i in range(start, start + 60):
    # Opened anew each time: the file's making and its opening are shared, too.
    with VectorCache(folder) as cache:
        cache.add_vector("maker", f"{i % 150:064x}", CachedVector(np.full(64, i % 150, np.float32), quality))
"""


def test_processes_share_it(tmp_path):
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(start)])
        for start in (0, 30, 60, 90)
    ]
    assert [process.wait(120) for process in processes] == [0] * 4
    with VectorCache(tmp_path) as cache:
        assert cache.info().n_vectors == 150
        for i in range(150):
            assert (cache.vector("maker", f"{i:064x}").vector == i).all()


def test_threads_share_it(tmp_path):
    failures = []
    with VectorCache(tmp_path) as cache:

        def work(start: int) -> None:
            try:
                for i in range(start, start + 50):
                    cache.add_vector("maker", f"{i:064x}", row(i))
                    cache.commit()
                    assert (cache.vector("maker", f"{i:064x}").vector == row(i).vector).all()
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(50 * k,)) for k in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert cache.info().n_vectors == 300


def test_remove(tmp_path):
    assert remove(tmp_path) is False
    VectorCache(tmp_path).close()
    assert remove(tmp_path) is True
    assert list(tmp_path.iterdir()) == []
