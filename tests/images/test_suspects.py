"""The suspected changes, on pictures whose pixels are known."""

import numpy as np
import pytest
from PIL import Image

from monitor.images.suspects import SUSPECTS

RNG = np.random.default_rng(0)
PICTURE = Image.fromarray(RNG.integers(0, 255, (60, 80, 3), dtype=np.uint8))


@pytest.mark.parametrize("name", SUSPECTS)
@pytest.mark.parametrize("size", [(80, 60), (33, 33), (17, 90)])
def test_each_changes_a_picture_and_leaves_the_original(name, size):
    picture = PICTURE.resize(size)
    before = picture.tobytes()
    changed = SUSPECTS[name](picture)
    assert changed.mode == "RGB"
    assert picture.tobytes() == before
    assert (changed.size, changed.tobytes()) != (picture.size, before)


def test_what_they_do():
    pixels = np.asarray(PICTURE)
    assert (np.asarray(SUSPECTS["red and blue swapped"](PICTURE)) == pixels[:, :, ::-1]).all()
    assert (np.asarray(SUSPECTS["mirrored"](PICTURE)) == pixels[:, ::-1]).all()
    assert (np.asarray(SUSPECTS["inverted"](PICTURE)) == 255 - pixels).all()
    grey = np.asarray(SUSPECTS["grey"](PICTURE))
    assert (grey[:, :, 0] == grey[:, :, 2]).all()
    assert SUSPECTS["scaled down"](PICTURE).size == (20, 15)
    assert np.asarray(SUSPECTS["darker"](PICTURE)).mean() == pytest.approx(pixels.mean() / 2, abs=1)
    tiny = PICTURE.resize((32, 24))
    assert SUSPECTS["blurred"](tiny).tobytes() != tiny.tobytes()
