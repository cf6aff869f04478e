"use strict";

// The three views: the files of a service, what an answer changes, and what a release changed.
{
  const { element } = explorer;
  const UNRELEASED = "this version";

  const select = (label, value, groups, change) => {
    const option = ([key, text, disabled]) =>
      element("option", { value: key, selected: key === value, disabled: Boolean(disabled) }, text);
    return element("label", { class: "field" }, label, " ",
      element("select", { change: (event) => change(event.target.value) },
        groups.map(([title, options]) => (title
          ? element("optgroup", { label: title }, options.map(option))
          : options.map(option)))));
  };

  // The filter stays when a file is opened or an answer changes.
  let word = "";

  explorer.filesView = (state, files) => {
    const current = files.has(state.file) ? state.file
      : files.has("app/main.py") ? "app/main.py" : [...files.keys()][0];
    const hrefOf = (path) => explorer.hashOf({ ...state, file: path });
    const paths = [...files.keys()];
    const box = element("div");
    const draw = () => {
      const found = paths.filter((path) => path.toLowerCase().includes(word.toLowerCase()));
      box.replaceChildren(found.length ? explorer.treeOf(found, hrefOf, current, word !== "")
        : element("p", { class: "empty" }, "No file has this in its path."));
    };
    draw();
    const filter = element("input", {
      type: "search", placeholder: "Filter files", "aria-label": "Filter files", value: word,
      input: (event) => {
        word = event.target.value;
        draw();
      },
    });
    const list = element("nav", { class: "files", "aria-label": "Files" }, filter, box);
    const content = element("div", { class: "content" });
    const [lines, bytes] = explorer.index.sizes[current][files.get(current)];
    explorer.linesOf(current, files.get(current)).then((text) => content.append(
      element("div", { class: "bar" },
        element("h2", {}, current),
        element("span", { class: "size" },
          `${explorer.count(lines, "line")}, ${explorer.number(bytes)} bytes`),
        explorer.copyButton("Copy file", () => text.map(([line]) => `${line}\n`).join(""))),
      explorer.codeOf(current, text)));
    return { controls: undefined, panes: [list, content] };
  };

  const alternatives = (answers) => explorer.questions
    .map((question, position) => [position, question])
    .filter(([position]) => explorer.isAsked(position, answers))
    .map(([position, question]) => [
      question.title.replace(/\?$/, ""),
      explorer.choicesOf(position).filter((answer) => answer !== answers[position]).map((answer) => {
        const value = explorer.alternative(position, answer);
        const rendered = explorer.isRendered(explorer.comparedWith({
          chosen: explorer.chosenOf(answers), with: value,
        }));
        const text = `${question.name}: ${explorer.nameOf(position, answer)}`;
        return [value, rendered ? text : `${text} (not rendered)`, !rendered];
      }),
    ]);

  // The answers of a combination that differ from the defaults, by question.
  explorer.chosenOf = (answers) => Object.fromEntries(explorer.differing(answers)
    .map(({ question, answer }) => [question.name, answer]));

  explorer.compareView = (state, shown, go) => {
    const chosen = explorer.chosenOf(shown);
    const isDefault = Object.keys(chosen).length === 0;
    const fallback = isDefault ? "auth:jwt" : "default";
    let value = state.with ?? fallback;
    let other = explorer.comparedWith({ chosen, with: value });
    if (other === undefined) {
      value = fallback;
      other = explorer.comparedWith({ chosen, with: value });
    }
    const presets = Object.keys(explorer.index.presets)
      .map((name) => [`preset:${name}`, name.replaceAll("_", " ")]);
    const control = select("Compare these answers with", value, [
      [undefined, [["default", "the default answers"]]],
      ...(presets.length ? [["Presets", presets]] : []),
      ...alternatives(shown),
    ], (choice) => go({ ...state, with: choice, file: undefined }));
    const nearest = explorer.nearest(other);
    const note = nearest === other ? undefined : element("p", { class: "note" },
      "The other answers were not rendered. The comparison is with the nearest ones: ",
      explorer.summaryOf(nearest), ".");
    return {
      controls: [control, note],
      panes: explorer.changesView({ ...state, with: value },
        explorer.filesOf(shown), explorer.filesOf(nearest)),
    };
  };

  const filesOfRelease = (releases, version, set) => {
    if (version === UNRELEASED) {
      return explorer.filesOf(explorer.fromWord(releases.sets[set]));
    }
    const files = releases.versions[version][set];
    return files && new Map(Object.entries(files));
  };

  const equal = (before, after) => Object.values(explorer.changes(before, after)).flat().length === 0;

  explorer.releasesView = (state, releases, go) => {
    const versions = [...Object.keys(releases.versions), UNRELEASED];
    const set = state.set in releases.sets ? state.set : "default";
    const filesOf = (version) => filesOfRelease(releases, version, set);
    const known = versions.filter(filesOf);
    // Right after a release, this version is the release.
    const newest = known.length > 2 && equal(...known.slice(-2).map(filesOf)) ? -2 : -1;
    const to = known.includes(state.to) ? state.to : known.at(newest);
    const from = known.includes(state.from) ? state.from : known.at(newest - 1) ?? to;
    const options = versions.map((version) => (known.includes(version)
      ? [version, version] : [version, `${version} (without these answers)`, true]));
    const names = { default: "the default answers", empty: "no examples" };
    const titles = Object.keys(releases.sets)
      .map((name) => [name, names[name] ?? name.replaceAll("_", " ")]);
    const changed = (part) => go({ ...state, from, to, set, file: undefined, ...part });
    return {
      controls: [
        select("From", from, [[undefined, options]], (value) => changed({ from: value })),
        select("to", to, [[undefined, options]], (value) => changed({ to: value })),
        select("with", set, [[undefined, titles]], (value) => changed({ set: value })),
        element("a", { class: "aside", href: "../changelog.html" }, "Changelog"),
      ],
      panes: explorer.changesView({ ...state, from, to, set },
        filesOf(from), filesOf(to)),
    };
  };
}
