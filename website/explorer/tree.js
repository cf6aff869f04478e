"use strict";

// The tree of a service's files: folders are details elements, files are links.
{
  const { element } = explorer;
  const CLOSED = new Set(["app/core", "tests/core"]);

  const nested = (paths) => {
    const root = { folders: new Map(), files: [] };
    for (const path of paths) {
      const parts = path.split("/");
      let folder = root;
      for (const part of parts.slice(0, -1)) {
        if (!folder.folders.has(part)) folder.folders.set(part, { folders: new Map(), files: [] });
        folder = folder.folders.get(part);
      }
      folder.files.push(parts.at(-1));
    }
    return root;
  };
  const byName = (a, b) => a.localeCompare(b, "en");

  const listOf = (folder, prefix, hrefOf, current, isOpen) => {
    const folders = [...folder.folders].sort(([a], [b]) => byName(a, b)).map(([name, inner]) => {
      const path = `${prefix}${name}`;
      const open = isOpen(path) || (current ?? "").startsWith(`${path}/`);
      return element("li", {}, element("details", { open, "data-path": path },
        element("summary", {}, name),
        listOf(inner, `${path}/`, hrefOf, current, isOpen)));
    });
    const files = [...folder.files].sort(byName).map((name) => {
      const path = `${prefix}${name}`;
      return element("li", {}, element("a", {
        href: hrefOf(path), "data-path": path, "aria-current": path === current ? "page" : undefined,
      }, explorer.breakable(name)));
    });
    return element("ul", {}, folders, files);
  };

  // What the reader opened or closed, kept from one tree to the next.
  const opened = new Map();

  explorer.treeOf = (paths, hrefOf, current, filtered) => {
    const isOpen = (path) => filtered || (opened.get(path) ?? !(CLOSED.has(path)
      || path.split("/").length > 2));
    const tree = listOf(nested(paths), "", hrefOf, current, isOpen);
    tree.classList.add("tree");
    tree.addEventListener("click", (event) => {
      const details = event.target.closest("summary")?.parentElement;
      if (details) opened.set(details.dataset.path, !details.open);
    });
    return tree;
  };
}
