"use strict";

// Texts of files: each path has a data script with its lines and, for each text, ranges of lines.
{
  const numbers = new Map();

  // The lines of a text, each as [text, tokens]; none for a file that does not exist.
  explorer.linesOf = async (path, text) => {
    if (text === undefined) return [];
    if (!numbers.size) explorer.index.files.forEach((name, number) => numbers.set(name, number));
    const number = numbers.get(path);
    const content = await explorer.load(`file ${number}`, `files/${number}`);
    const ranges = content.texts[text];
    const lines = [];
    for (let i = 0; i < ranges.length; i += 2) {
      for (let line = ranges[i]; line < ranges[i] + ranges[i + 1]; line += 1) {
        lines.push([content.lines[line], content.tokens[line]]);
      }
    }
    return lines;
  };

  // The nodes of a line with its tokens: `k4,1,n6` gives a class to 4 characters, and so on.
  explorer.highlighted = ([text, tokens]) => {
    const nodes = [];
    let start = 0;
    for (const token of tokens ? tokens.split(",") : []) {
      const [, letter, length] = /^([a-z]?)(\d+)$/.exec(token);
      const part = text.slice(start, start + Number(length));
      nodes.push(letter ? explorer.element("span", { class: `t-${letter}` }, part) : part);
      start += Number(length);
    }
    nodes.push(text.slice(start));
    return nodes;
  };
}
