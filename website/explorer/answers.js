"use strict";

// Answers are indexes of choices, one for each question; those to `several` are bit masks.
{
  const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";
  // The questions that decide most files: the nearest combination keeps their answers.
  const WEIGHTS = { driver: 8, auth: 8, structure: 8 };

  const word = (answers) => answers.map((answer) => DIGITS[answer]).join("");
  const cellOf = (table, answers) => table.cells[word(table.positions.map((p) => answers[p]))];

  explorer.useIndex = (index) => {
    const { questions } = index;
    const rendered = new Set(index.combinations);
    const all = index.combinations.map((text) => [...text].map((digit) => DIGITS.indexOf(digit)));

    const defaultOf = (position, answers) => cellOf(questions[position].default, answers);
    const isAsked = (position, answers) => cellOf(questions[position].when, answers);

    // The answer to each question: the chosen one, or the default where none is chosen or asked.
    const resolve = (chosen) => {
      const answers = [];
      questions.forEach(({ name }, position) => {
        const isChosen = name in chosen && isAsked(position, answers);
        answers.push(isChosen ? chosen[name] : defaultOf(position, answers));
      });
      return answers;
    };

    // The chosen answers that differ from the defaults: what a link or a command has to say.
    const differing = (answers) => questions
      .map((question, position) => ({ question, position, answer: answers[position] }))
      .filter(({ position, answer }) =>
        isAsked(position, answers) && answer !== defaultOf(position, answers));

    const isRendered = (answers) => rendered.has(word(answers));

    const distance = (a, b) => questions.reduce(
      (sum, { name }, position) => sum + (a[position] === b[position] ? 0 : WEIGHTS[name] ?? 1), 0);
    const nearest = (answers) => (isRendered(answers) ? answers : all.reduce((best, other) =>
      (distance(answers, other) < distance(answers, best) ? other : best)));

    // The index of the text of each file by path.
    const filesOf = (answers) => {
      const files = new Map();
      for (const [path, table] of Object.entries(index.paths)) {
        const text = cellOf(table, answers);
        if (text !== undefined) files.set(path, text);
      }
      return files;
    };

    const sizeOf = (files) => {
      const size = { files: files.size, lines: 0, bytes: 0 };
      for (const [path, text] of files) {
        const [lines, bytes] = index.sizes[path][text];
        size.lines += lines;
        size.bytes += bytes;
      }
      return size;
    };

    const nameOf = (position, answer) => {
      const { several, values } = questions[position];
      if (several) return values.filter((_, bit) => answer >> bit & 1).join(", ") || "none";
      return typeof values[answer] === "boolean" ? ["no", "yes"][answer] : values[answer];
    };

    Object.assign(explorer, {
      index, questions, resolve, differing, defaultOf, isAsked, isRendered, nearest, filesOf,
      sizeOf, nameOf,
      fromWord: (text) => [...text].map((digit) => DIGITS.indexOf(digit)),
      choicesOf: (position) => {
        const { several, values } = questions[position];
        return [...Array(several ? 2 ** values.length : values.length).keys()];
      },
    });
  };
}
