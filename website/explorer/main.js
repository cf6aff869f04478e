"use strict";

// Draws the page from its address, and changes the address on each choice.
{
  const { element } = explorer;
  const page = (id) => document.getElementById(id);
  let form;
  let state;
  let drawn = 0;

  const go = (next) => { location.hash = explorer.hashOf(next); };

  explorer.summaryOf = (answers) => {
    const rows = explorer.differing(answers);
    if (!rows.length) return "the default answers";
    return rows.map(({ question, position, answer }) =>
      `${question.name}: ${explorer.nameOf(position, answer)}`).join(" · ");
  };

  const choose = (position, index, checked) => {
    const question = explorer.questions[position];
    const answers = explorer.resolve(state.chosen);
    let answer = index;
    if (question.several) {
      answer = checked ? answers[position] | 1 << index : answers[position] & ~(1 << index);
    }
    const chosen = { ...state.chosen, [question.name]: answer };
    // An answer like the default follows the default, which may depend on other answers.
    if (answer === explorer.defaultOf(position, answers)) delete chosen[question.name];
    go({ ...state, chosen });
  };

  const presetOf = (answers) => Object.entries(explorer.index.presets)
    .find(([, text]) => explorer.fromWord(text).join() === answers.join())?.[0];

  const showPresets = (answers) => {
    const preset = presetOf(answers);
    const isDefault = explorer.differing(answers).length === 0;
    const options = [
      ["", "your answers"], ["default", "the default answers"],
      ...Object.keys(explorer.index.presets).map((name) => [name, name.replaceAll("_", " ")]),
    ];
    const value = isDefault ? "default" : preset ?? "";
    page("preset").replaceChildren(...options.map(([key, text]) =>
      element("option", { value: key, selected: key === value, disabled: key === "" }, text)));
  };

  const showCommand = (answers) => {
    const problem = explorer.problemOf(state.name);
    const field = page("service-name");
    if (field !== document.activeElement) field.value = state.name;
    field.setAttribute("aria-invalid", String(Boolean(problem)));
    page("name-problem").textContent = problem;
    const preset = presetOf(answers);
    page("command").textContent = explorer.commandOf(answers, state.name);
    page("preset-command").hidden = !preset;
    page("preset-command-text").textContent = preset
      ? explorer.presetCommandOf(preset, state.name) : "";
  };

  const showNearest = (answers, shown) => {
    const banner = page("nearest");
    banner.hidden = answers === shown;
    if (answers === shown) return;
    const differences = explorer.questions
      .map((question, position) => [question, position])
      .filter(([, position]) => answers[position] !== shown[position])
      .map(([{ name }, position]) => element("code", {},
        `${name}: ${explorer.nameOf(position, shown[position])}`));
    banner.replaceChildren(
      element("p", {}, element("strong", {}, "These answers were not rendered. "),
        "Copier accepts them, and the command is right. The files shown are those of the nearest "
        + "combination, with ", differences.flatMap((each, index) =>
          (index ? [", ", each] : [each])), "."),
      element("a", {
        class: "button", href: explorer.hashOf({ ...state, chosen: explorer.chosenOf(shown) }),
      }, "Use the nearest answers"));
  };

  const showTabs = () => {
    for (const link of page("views").querySelectorAll("a")) {
      const { view } = link.dataset;
      const { file, ...rest } = state;
      link.href = explorer.hashOf(view === "files" ? { ...state, view } : { ...rest, view });
      if (view === state.view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  };

  const view = async (shown, files) => {
    if (state.view === "compare") return explorer.compareView(state, shown, go);
    if (state.view === "releases") {
      return explorer.releasesView(state, await explorer.load("releases", "releases"), go);
    }
    return explorer.filesView(state, files);
  };

  const focused = () => {
    const active = document.activeElement;
    const path = active?.dataset?.path;
    return path && page("panes").contains(active) ? path : undefined;
  };

  // Scrolls a list, and not the page, until it shows an element.
  const show = (list, element) => {
    if (!element) return;
    const top = element.getBoundingClientRect().top - list.getBoundingClientRect().top;
    if (top < 0 || top > list.clientHeight - element.clientHeight) {
      list.scrollTop += top - list.clientHeight / 2;
    }
  };

  const draw = async () => {
    drawn += 1;
    const turn = drawn;
    const before = state;
    state = explorer.stateOf(location.hash);
    const answers = explorer.resolve(state.chosen);
    const shown = explorer.nearest(answers);
    const files = explorer.filesOf(shown);
    const size = explorer.sizeOf(files);
    form.show(state, answers, size);
    page("size").textContent = `${explorer.count(size.files, "file")}, `
      + `${explorer.count(size.lines, "line")}, ${explorer.number(Math.round(size.bytes / 1000))} kB`;
    page("answers-summary").textContent = explorer.summaryOf(answers);
    showPresets(answers);
    showCommand(answers);
    showNearest(answers, shown);
    showTabs();
    const { controls, panes } = await view(shown, files);
    if (turn !== drawn) return;
    const path = focused();
    const scrolled = page("panes").querySelector("nav")?.scrollTop ?? 0;
    page("controls").replaceChildren(...[controls].flat().filter(Boolean));
    page("panes").replaceChildren(...panes);
    page("panes").className = `panes ${state.view}`;
    if (path) page("panes").querySelector(`[data-path="${CSS.escape(path)}"]`)?.focus();
    const list = page("panes").querySelector("nav");
    list.scrollTop = scrolled;
    show(list, list.querySelector("[aria-current]"));
    // On a narrow page, the file that was chosen is below the list.
    const isChosen = before && state.file && state.file !== before.file;
    if (explorer.narrow.matches && isChosen) page("panes").querySelector(".content").scrollIntoView();
    document.title = `${state.file ?? "Explorer"} · copier-fastapi-async`;
  };

  const start = async () => {
    explorer.connectTheme(page("theme"));
    explorer.useIndex(await explorer.load("index", "index"));
    form = explorer.formOf(choose);
    page("form").append(form.element);
    page("copy-command").replaceWith(
      explorer.copyButton("Copy", () => page("command").textContent));
    page("coverage").textContent = `${explorer.number(explorer.index.combinations.length)} `
      + `of ${explorer.number(explorer.index.total)} combinations of answers are rendered.`;
    page("preset").addEventListener("change", ({ target }) => {
      const text = explorer.index.presets[target.value];
      const chosen = text ? explorer.chosenOf(explorer.fromWord(text)) : {};
      go({ ...state, chosen });
    });
    page("service-name").addEventListener("input", ({ target }) => {
      history.replaceState(null, "", explorer.hashOf({ ...state, name: target.value }));
      draw();
    });
    // The address is the state, so this link must not change it.
    page("skip").addEventListener("click", (event) => {
      event.preventDefault();
      page("panes").focus();
    });
    addEventListener("hashchange", draw);
    page("answers").open = !explorer.narrow.matches;
    explorer.narrow.addEventListener("change", () => {
      page("answers").open = !explorer.narrow.matches;
      draw();
    });
    await draw();
  };
  start().catch((error) => {
    page("problem").hidden = false;
    page("problem").textContent = error.message;
  });
}
