"use strict";

// Line differences by Myers' algorithm, Algorithmica 1 (1986).
{
  const trace = (a, b) => {
    const most = a.length + b.length;
    let ends = new Map([[1, 0]]);
    const steps = [];
    for (let d = 0; d <= most; d += 1) {
      steps.push(new Map(ends));
      for (let k = -d; k <= d; k += 2) {
        const down = k === -d || (k !== d && ends.get(k - 1) < ends.get(k + 1));
        let x = down ? ends.get(k + 1) : ends.get(k - 1) + 1;
        while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
        ends.set(k, x);
        if (x >= a.length && x - k >= b.length) return steps;
      }
    }
    return steps;
  };

  // The rows of a difference: pairs of indexes, one of them -1 where a line has no counterpart.
  explorer.difference = (a, b) => {
    let start = 0;
    while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
    let end = 0;
    while (end < a.length - start && end < b.length - start
      && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
    const oldLines = a.slice(start, a.length - end);
    const newLines = b.slice(start, b.length - end);

    const rows = [];
    let x = oldLines.length;
    let y = newLines.length;
    const steps = trace(oldLines, newLines);
    for (let d = steps.length - 1; d >= 0; d -= 1) {
      const ends = steps[d];
      const k = x - y;
      const down = k === -d || (k !== d && ends.get(k - 1) < ends.get(k + 1));
      const lastK = down ? k + 1 : k - 1;
      const startX = d === 0 ? 0 : ends.get(lastK);
      const startY = d === 0 ? 0 : startX - lastK;
      while (x > startX && y > startY) {
        x -= 1;
        y -= 1;
        rows.push([start + x, start + y]);
      }
      if (d > 0) rows.push(down ? [-1, start + startY] : [start + startX, -1]);
      x = startX;
      y = startY;
    }
    rows.reverse();
    const before = [...Array(start).keys()].map((line) => [line, line]);
    const after = [...Array(end).keys()].map((line) => [
      a.length - end + line, b.length - end + line,
    ]);
    return [...before, ...rows, ...after];
  };

  // Unchanged, changed, removed and added files between two services.
  explorer.changes = (before, after) => {
    const changes = { added: [], removed: [], changed: [] };
    for (const [path, text] of after) {
      if (!before.has(path)) changes.added.push(path);
      else if (before.get(path) !== text) changes.changed.push(path);
    }
    for (const path of before.keys()) if (!after.has(path)) changes.removed.push(path);
    for (const paths of Object.values(changes)) paths.sort();
    return changes;
  };
}
