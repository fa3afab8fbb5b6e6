"""What `import monitor` costs, and that every public name is there."""

import subprocess
import sys

import monitor


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_import_is_light():
    heavy = "torch open_clip pandas pyarrow sklearn scipy PIL requests pydantic jinja2 click"
    code = (
        "import sys; before = set(sys.modules); import monitor; new = set(sys.modules) - before; "
        f"print(len(new), sorted(set('{heavy}'.split()) & new))"
    )
    n_modules, loaded = run(code).split(maxsplit=1)
    assert loaded.strip() == "[]"
    assert int(n_modules) < 150  # most of them Python's own


def test_describing_a_feature_loads_no_torch():
    code = (
        "import sys, monitor; "
        "monitor.ImageEmbedding(name='a', source_column='b', column='c'); monitor.SourcePolicy(); "
        "print(sorted({'torch', 'open_clip', 'pandas', 'requests', 'PIL'} & set(sys.modules)))"
    )
    assert run(code).strip() == "[]"


def test_processes_that_read_load_what_reading_needs():
    code = (
        "import sys, monitor.embedding.reader_process, monitor.images.worker; "
        "print(sorted({'torch', 'pydantic', 'requests', 'urllib3', 'sqlite3', 'scipy'} & set(sys.modules)))"
    )
    assert run(code).strip() == "[]"


def test_every_public_name_is_there_and_listed():
    for name in monitor.__all__:
        assert getattr(monitor, name) is not None
        assert name in dir(monitor)


def test_every_public_name_is_documented():
    for name in monitor.__all__:
        assert (getattr(monitor, name).__doc__ or "").strip(), name
