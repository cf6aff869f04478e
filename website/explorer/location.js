"use strict";

// The state of the page is the hash of its address, so each state has a link.
{
  const VIEWS = ["files", "compare", "releases"];
  const encode = (text) => encodeURIComponent(text).replace(/%2F/g, "/").replace(/%2C/g, ",")
    .replace(/%3A/g, ":");

  const indexOf = ({ several, values }, text) => {
    const names = several ? text.split(",").filter(Boolean) : [text];
    const found = names.map((name) => values.findIndex((value) => String(value) === name));
    if (found.includes(-1)) return undefined;
    return several ? found.reduce((mask, bit) => mask | 1 << bit, 0) : found[0];
  };
  const textOf = ({ several, values }, answer) => (several
    ? values.filter((_, bit) => answer >> bit & 1).join(",") : String(values[answer]));

  explorer.stateOf = (hash) => {
    const parameters = new URLSearchParams(hash.replace(/^#/, ""));
    const state = { chosen: {} };
    for (const question of explorer.questions) {
      const text = parameters.get(question.name);
      const answer = text === null ? undefined : indexOf(question, text);
      if (answer !== undefined) state.chosen[question.name] = answer;
    }
    for (const key of ["file", "with", "diff", "from", "to", "set"]) {
      if (parameters.has(key)) state[key] = parameters.get(key);
    }
    state.name = parameters.get("name") ?? explorer.DEFAULT_NAME;
    state.view = VIEWS.includes(parameters.get("view")) ? parameters.get("view") : "files";
    return state;
  };

  explorer.hashOf = (state) => {
    const pairs = [];
    for (const question of explorer.questions) {
      const answer = state.chosen[question.name];
      if (answer !== undefined) pairs.push([question.name, textOf(question, answer)]);
    }
    if (state.name !== explorer.DEFAULT_NAME) pairs.push(["name", state.name]);
    if (state.view !== "files") pairs.push(["view", state.view]);
    for (const key of ["with", "from", "to", "set", "diff", "file"]) {
      if (state[key]) pairs.push([key, state[key]]);
    }
    return `#${pairs.map(([key, value]) => `${key}=${encode(value)}`).join("&")}`;
  };

  // The answers that `with` names: `default`, `preset:NAME`, or `QUESTION:ANSWER`.
  explorer.comparedWith = (state) => {
    const [name, ...rest] = (state.with ?? "").split(":");
    const text = rest.join(":");
    if (state.with === "default") return explorer.resolve({});
    if (name === "preset" && explorer.index.presets[text]) {
      return explorer.fromWord(explorer.index.presets[text]);
    }
    const question = explorer.questions.find((each) => each.name === name);
    const answer = question && indexOf(question, text);
    return answer === undefined ? undefined
      : explorer.resolve({ ...state.chosen, [name]: answer });
  };

  explorer.alternative = (position, answer) => {
    const question = explorer.questions[position];
    return `${question.name}:${textOf(question, answer)}`;
  };
}
