'use strict';
document.documentElement.classList.add('js');

// Pictures open large; the arrows walk through those beside them.
(() => {
  const dialog = document.getElementById('zoom');
  const picture = document.getElementById('zoom-picture');
  const title = document.getElementById('zoom-title');
  const about = document.getElementById('zoom-about');
  const source = document.getElementById('zoom-source');
  let current = null;
  const show = tile => {
    current = tile;
    const inner = tile.querySelector('.pic');
    picture.className = inner.className;
    title.textContent = tile.dataset.row;
    about.textContent = tile.dataset.about;
    source.hidden = !tile.href;
    if (tile.href) source.href = tile.href; else source.removeAttribute('href');
    if (!dialog.open) dialog.showModal();
  };
  const step = by => {
    if (!current) return;
    const all = [...current.closest('.tiles').querySelectorAll('[data-row]')];
    show(all[(all.indexOf(current) + by + all.length) % all.length]);
  };
  document.addEventListener('click', event => {
    const tile = event.target.closest('[data-row]');
    if (tile && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      show(tile);
    } else if (event.target === dialog || event.target.closest('[data-close]')) {
      dialog.close();
    } else if (event.target.closest('[data-step]')) {
      step(Number(event.target.closest('[data-step]').dataset.step));
    }
  });
  dialog.addEventListener('keydown', event => {
    if (event.key === 'ArrowRight') step(1);
    if (event.key === 'ArrowLeft') step(-1);
  });
})();

// Maps: points from packed numbers, on a canvas.
for (const map of document.querySelectorAll('.map')) {
  const canvas = map.querySelector('canvas');
  const tip = map.querySelector('.tip');
  const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const sides = ['before', 'after'].map(name => {
    const raw = bytes(canvas.dataset[name]);
    return {
      xy: new DataView(raw.buffer),
      n: raw.length / 4,
      cluster: bytes(canvas.dataset[name + 'Cluster']),
      group: bytes(canvas.dataset[name + 'Group']),
      rows: new Map(),
    };
  });
  for (const [side, point, number, label] of JSON.parse(canvas.dataset.rows)) {
    sides[side].rows.set(point, [number, label]);
  }
  const at = (side, i, width, height) => [
    side.xy.getUint16(4 * i, true) / 65535 * width,
    (1 - side.xy.getUint16(4 * i + 2, true) / 65535) * height,
  ];
  const marks = [
    (c, x, y, r) => c.arc(x, y, r, 0, 7),
    (c, x, y, r) => { c.moveTo(x, y - 1.3 * r); c.lineTo(x + 1.2 * r, y + r); c.lineTo(x - 1.2 * r, y + r); },
    (c, x, y, r) => c.rect(x - .9 * r, y - .9 * r, 1.8 * r, 1.8 * r),
    (c, x, y, r) => { c.moveTo(x, y - 1.4 * r); c.lineTo(x + 1.4 * r, y); c.lineTo(x, y + 1.4 * r); c.lineTo(x - 1.4 * r, y); },
  ];
  const mode = () => map.querySelector('input:checked').value;
  const draw = () => {
    const width = canvas.clientWidth, height = canvas.clientHeight, ratio = window.devicePixelRatio || 1;
    if (!width) return;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const c = canvas.getContext('2d'), style = getComputedStyle(map);
    const colour = name => style.getPropertyValue(name).trim();
    const chosen = mode();
    c.scale(ratio, ratio);
    map.dataset.mode = chosen;
    sides.forEach((side, which) => {
      for (const isLoud of [false, true]) for (let i = 0; i < side.n; i++) {
        const group = side.group[i];
        const loud = chosen === 'group' ? group > 0 : false;
        if (loud !== isLoud) continue;
        const [x, y] = at(side, i, width, height);
        c.globalAlpha = loud ? .95 : which ? .8 : .65;
        let name = which ? '--after' : '--before', mark = 0, r = which ? 2.8 : 2.2;
        if (loud) { name = which ? `--g${(group - 1) % 6}` : '--lost'; mark = (group - 1) % 4; r = 3.8; }
        if (chosen === 'group' && !loud && which) { c.globalAlpha = .55; }
        if (chosen === 'cluster') { name = `--c${side.cluster[i] % 8}`; c.globalAlpha = which ? .95 : .35; }
        c.beginPath();
        marks[mark](c, x, y, r);
        c.closePath();
        c.fillStyle = c.strokeStyle = colour(name);
        if (which === 0 && chosen === 'group' && loud) { c.lineWidth = 1.6; c.stroke(); } else c.fill();
      }
    });
  };
  const nearest = (px, py) => {
    let best = null, distance = 144;
    sides.forEach((side, which) => {
      for (let i = 0; i < side.n; i++) {
        const [x, y] = at(side, i, canvas.clientWidth, canvas.clientHeight);
        // Of two that lie as near, the one with a picture, and then the window's.
        const d = (x - px) ** 2 + (y - py) ** 2 - (side.rows.has(i) ? 16 : 0) - which;
        if (d < distance) { distance = d; best = { side, which, i, x, y }; }
      }
    });
    return best;
  };
  const names = [canvas.dataset.baseline, canvas.dataset.window];
  canvas.addEventListener('pointermove', event => {
    const hit = nearest(event.offsetX, event.offsetY);
    tip.hidden = !hit;
    if (!hit) return;
    const [number, label] = hit.side.rows.get(hit.i) || [-1, ''];
    tip.firstElementChild.className = number < 0 ? '' : `pic t${number}`;
    tip.lastElementChild.textContent =
      `${names[hit.which]}${label ? ', ' + label : ''}, cluster ${hit.side.cluster[hit.i]}`;
    const right = hit.x > canvas.clientWidth / 2;
    tip.style.left = right ? '' : `${hit.x + 12}px`;
    tip.style.right = right ? `${canvas.clientWidth - hit.x + 12}px` : '';
    tip.style.top = `${Math.min(Math.max(hit.y - 40, 0), canvas.clientHeight - 120)}px`;
  });
  canvas.addEventListener('pointerleave', () => { tip.hidden = true; });
  map.addEventListener('change', draw);
  new ResizeObserver(draw).observe(canvas);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
}
