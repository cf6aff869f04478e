"use strict";

// The view of what differs between two services: a list of files, and the difference of one.
{
  const { element } = explorer;
  const KINDS = { added: "Added", removed: "Removed", changed: "Changed" };

  // The groups that the reader closed.
  const closed = new Set();

  const totals = (before, after) => {
    const [a, b] = [explorer.sizeOf(before), explorer.sizeOf(after)];
    return `${explorer.signed(b.files - a.files, "file")}, `
      + explorer.signed(b.lines - a.lines, "line");
  };

  const groupOf = (kind, paths, hrefOf, current, before, after) => {
    if (!paths.length) return undefined;
    const items = paths.map((path) => {
      const counts = element("span", { class: "counts" });
      const link = element("a", {
        href: hrefOf(path), "data-path": path, "aria-current": path === current ? "page" : undefined,
      }, element("span", { class: "path" }, explorer.breakable(path)), counts);
      fill(counts, path, before.get(path), after.get(path));
      return element("li", {}, link);
    });
    const toggle = ({ target }) => {
      if (target.open) closed.delete(kind);
      else closed.add(kind);
    };
    return element("details", { open: !closed.has(kind), class: `group ${kind}`, toggle },
      element("summary", {}, `${KINDS[kind]} `, element("span", { class: "badge" },
        String(paths.length))),
      element("ul", {}, items));
  };

  const fill = async (counts, path, before, after) => {
    const [a, b] = await Promise.all([
      explorer.linesOf(path, before), explorer.linesOf(path, after),
    ]);
    const { added, removed } = explorer.countsOf(a, b);
    if (added) counts.append(element("span", { class: "plus" }, `+${added}`));
    if (removed) counts.append(element("span", { class: "minus" }, `−${removed}`));
  };

  const layouts = (state, split) => element("div", { class: "segments" },
    [["unified", "Unified", !split], ["split", "Side by side", split]].map(([diff, label, on]) =>
      element("a", {
        href: explorer.hashOf({ ...state, diff: diff === "split" ? diff : undefined }),
        "aria-current": on ? "true" : undefined,
      }, label)));

  // Returns the list and the content, which is filled when its texts are loaded.
  explorer.changesView = (state, before, after) => {
    const changes = explorer.changes(before, after);
    const all = Object.values(changes).flat();
    const current = all.includes(state.file) ? state.file : all[0];
    const hrefOf = (path) => explorer.hashOf({ ...state, file: path });
    const list = element("nav", { class: "changes", "aria-label": "Files that differ" },
      element("p", { class: "total" }, all.length ? totals(before, after) : "No file differs."),
      Object.entries(changes).map(([kind, paths]) =>
        groupOf(kind, paths, hrefOf, current, before, after)));
    const content = element("div", { class: "content" });
    if (current) {
      const split = state.diff === "split" && !explorer.narrow.matches;
      content.append(element("div", { class: "bar" }, element("h2", {}, current),
        explorer.narrow.matches ? undefined : layouts({ ...state, file: current }, split)));
      Promise.all([
        explorer.linesOf(current, before.get(current)), explorer.linesOf(current, after.get(current)),
      ]).then(([a, b]) => content.append(explorer.differenceOf(current, a, b, split)));
    }
    return [list, content];
  };
}
