"use strict";

// Files and differences with syntax highlighting.
{
  const { element, highlighted } = explorer;
  const CONTEXT = 3;

  const region = (label, ...children) =>
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, children);

  explorer.codeOf = (path, lines) => region(
    `Content of ${path}`,
    element("pre", { class: "code" }, lines.map((line) =>
      element("span", { class: "line" }, highlighted(line), "\n"))),
  );

  const numbered = (index) => element("td", { class: "number" }, index < 0 ? "" : String(index + 1));
  const content = (line, kind) => element("td", { class: `text ${kind}` },
    line === undefined ? "" : highlighted(line));

  const unifiedRow = (a, b) => ([left, right]) => {
    const kind = left < 0 ? "added" : right < 0 ? "removed" : "same";
    const sign = { added: "+", removed: "−", same: "" }[kind];
    return element("tr", { class: kind }, numbered(left), numbered(right),
      element("td", { class: "sign" }, sign), content(left < 0 ? b[right] : a[left], kind));
  };

  // Removed and added lines beside each other.
  const paired = (rows) => {
    const found = [];
    let removed = [];
    let added = [];
    const flush = () => {
      for (let i = 0; i < Math.max(removed.length, added.length); i += 1) {
        found.push([removed[i] ?? -1, added[i] ?? -1]);
      }
      removed = [];
      added = [];
    };
    for (const [left, right] of rows) {
      if (left >= 0 && right >= 0) {
        flush();
        found.push([left, right, true]);
      } else if (left >= 0) removed.push(left);
      else added.push(right);
    }
    flush();
    return found;
  };
  const splitRow = (a, b) => ([left, right, same]) => element("tr", {},
    numbered(left), content(a[left], same ? "same" : left < 0 ? "missing" : "removed"),
    numbered(right), content(b[right], same ? "same" : right < 0 ? "missing" : "added"));

  const isSame = ([left, right, same]) => same ?? (left >= 0 && right >= 0);

  // The rows of a table; long runs of unchanged lines are a button that shows them.
  const folded = (rows, rowOf, columns) => {
    const elements = [];
    let start = 0;
    while (start < rows.length) {
      let end = start;
      while (end < rows.length && isSame(rows[end]) === isSame(rows[start])) end += 1;
      const first = start === 0 ? start : start + CONTEXT;
      const last = end === rows.length ? end : end - CONTEXT;
      if (isSame(rows[start]) && last - first > CONTEXT) {
        const hidden = rows.slice(first, last);
        elements.push(...rows.slice(start, first).map(rowOf));
        const button = element("button", { type: "button" },
          `Show ${explorer.count(hidden.length, "unchanged line")}`);
        const fold = element("tr", { class: "fold" }, element("td", { colspan: columns }, button));
        button.addEventListener("click", () => {
          const shown = hidden.map(rowOf);
          fold.replaceWith(...shown);
          shown[0].closest(".scroll").focus();
        });
        elements.push(fold, ...rows.slice(last, end).map(rowOf));
      } else elements.push(...rows.slice(start, end).map(rowOf));
      start = end;
    }
    return elements;
  };

  explorer.differenceOf = (path, a, b, split) => {
    const rows = explorer.difference(a.map(([text]) => text), b.map(([text]) => text));
    const body = split
      ? folded(paired(rows), splitRow(a, b), "4")
      : folded(rows, unifiedRow(a, b), "4");
    return region(`Difference of ${path}`,
      element("table", { class: split ? "difference split" : "difference" },
        split ? element("colgroup", {}, ["number", "", "number", ""].map((name) =>
          element("col", { class: name }))) : [],
        element("tbody", {}, body)));
  };

  explorer.countsOf = (a, b) => {
    const rows = explorer.difference(a.map(([text]) => text), b.map(([text]) => text));
    return {
      added: rows.filter(([left]) => left < 0).length,
      removed: rows.filter(([, right]) => right < 0).length,
    };
  };
}
