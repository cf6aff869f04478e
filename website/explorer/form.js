"use strict";

// The questions, built once; `show` sets their state.
{
  const { element, signed } = explorer;

  const split = (label) => {
    const [title, ...rest] = label.split(": ");
    return [title, rest.join(": ")];
  };

  explorer.formOf = (choose) => {
    const { questions } = explorer;

    const optionOf = (position, index) => {
      const { name, labels, several, values } = questions[position];
      const [title, text] = split(labels[index]);
      const isNamed = typeof values[index] === "boolean"
        || title.toLowerCase().includes(values[index].replaceAll("_", " "));
      const input = element("input", {
        type: several ? "checkbox" : "radio", name, value: String(index),
        id: `${name}-${index}`,
        change: (event) => choose(position, index, event.target.checked),
      });
      const link = element("a", { class: "effect" });
      return {
        input, link,
        row: element("div", { class: "option" }, input,
          element("label", { for: input.id }, title,
            isNamed ? [] : [" ", element("code", {}, values[index])],
            text ? element("span", { class: "hint" }, text) : []),
          link),
      };
    };

    const fieldsets = questions.map((question, position) => {
      const options = question.labels.map((_, index) => optionOf(position, index));
      return {
        options,
        fieldset: element("fieldset", { id: `question-${question.name}` },
          element("legend", {}, question.title.replace(/\?$/, ""), " ",
            element("code", {}, question.name)),
          element("p", { class: "help" }, explorer.prose(question.help)),
          options.map(({ row }) => row)),
      };
    });

    // The effect of the other answers: the files and lines that they add or remove.
    const effectOf = (state, answers, size, position, answer) => {
      const chosen = { ...state.chosen, [questions[position].name]: answer };
      const other = explorer.resolve(chosen);
      if (!explorer.isRendered(answers) || !explorer.isRendered(other)) return undefined;
      const files = explorer.filesOf(other);
      const otherSize = explorer.sizeOf(files);
      const { changed } = explorer.changes(explorer.filesOf(answers), files);
      const added = otherSize.files - size.files;
      return {
        text: added ? signed(added, "file") : `${changed.length} changed`,
        lines: signed(otherSize.lines - size.lines, "line"),
      };
    };

    const show = (state, answers, size) => {
      questions.forEach((question, position) => {
        const { fieldset, options } = fieldsets[position];
        const isAsked = explorer.isAsked(position, answers);
        fieldset.hidden = !isAsked;
        options.forEach(({ input, link, row }, index) => {
          const answer = question.several ? answers[position] ^ 1 << index : index;
          const isChosen = question.several
            ? Boolean(answers[position] >> index & 1) : answers[position] === index;
          input.checked = isChosen;
          row.classList.toggle("chosen", isChosen);
          const compared = question.several || !isChosen;
          const effect = compared && isAsked
            ? effectOf(state, answers, size, position, answer) : undefined;
          link.hidden = !effect;
          if (!effect) return;
          const { with: _, file: __, ...rest } = state;
          const alternative = explorer.alternative(position, answer);
          link.href = explorer.hashOf({ ...rest, view: "compare", with: alternative });
          link.textContent = effect.text;
          link.setAttribute("aria-label",
            `Compare with ${question.name}: ${explorer.nameOf(position, answer)}, `
            + `${effect.text}, ${effect.lines}`);
          link.title = `${effect.lines}: compare`;
        });
      });
    };
    return { element: element("div", { class: "questions" },
      fieldsets.map(({ fieldset }) => fieldset)), show };
  };
}
