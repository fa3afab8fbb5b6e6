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
    assert (np.asarray(SUSPECTS["upside down"](PICTURE)) == pixels[::-1, ::-1]).all()
    assert SUSPECTS["squashed"](PICTURE).size == (80, 36)
    assert SUSPECTS["squashed sideways"](PICTURE).size == (48, 60)
    red, green, blue = np.asarray(SUSPECTS["colder in colour"](PICTURE)).mean(axis=(0, 1))
    assert red < 0.8 * pixels[:, :, 0].mean()
    assert green == pytest.approx(pixels[:, :, 1].mean())
    assert blue > pixels[:, :, 2].mean()
    assert np.asarray(SUSPECTS["washed out"](PICTURE)).std() == pytest.approx(
        pixels.std() / 2, abs=1
    )
    cut = np.asarray(SUSPECTS["cut off at the bottom"](PICTURE))
    assert (cut[:36] == pixels[:36]).all()
    assert (cut[36:] == 128).all()
    tiny = PICTURE.resize((32, 24))
    assert SUSPECTS["blurred"](tiny).tobytes() != tiny.tobytes()
