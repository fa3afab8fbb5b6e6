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
        "import time; start = time.process_time(); import monitor; "
        "spent = time.process_time() - start; import sys; "
        f"print(spent, sorted(set('{heavy}'.split()) & set(sys.modules)))"
    )
    spent, loaded = run(code).split(maxsplit=1)
    assert loaded.strip() == "[]"
    assert float(spent) < 0.3


def test_describing_a_feature_loads_no_torch():
    code = (
        "import sys, monitor; "
        "monitor.ImageEmbedding(name='a', source_column='b', column='c'); monitor.SourcePolicy(); "
        "print(sorted({'torch', 'open_clip', 'pandas', 'requests', 'PIL'} & set(sys.modules)))"
    )
    assert run(code).strip() == "[]"


def test_every_public_name_is_there_and_listed():
    for name in monitor.__all__:
        assert getattr(monitor, name) is not None
        assert name in dir(monitor)


def test_every_public_name_is_documented():
    for name in monitor.__all__:
        assert (getattr(monitor, name).__doc__ or "").strip(), name
