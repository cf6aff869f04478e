"use strict";

// The command that copies a service with the answers of the page.
{
  const PLAIN = /^[\w@%+=:,./-]+$/;
  const quoted = (text) => (PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

  explorer.DEFAULT_NAME = "My Service";

  const folderOf = (name) => name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/-+$/, "");

  // What copier.yml says about a name, or an empty string.
  explorer.problemOf = (name) => {
    if (!/^[A-Za-z]/.test(name)) return "Start with a letter from A to Z.";
    if (name.length > 50) return "Use at most 50 characters.";
    if (/["\\\x00-\x1f\x7f]/.test(name)) return "Remove \" and \\.";
    if (name !== name.trim()) return "Remove spaces at start and end.";
    return "";
  };

  // With the default name while the name has a problem, so that the command always works.
  const command = (written, options) => {
    const name = explorer.problemOf(written) ? explorer.DEFAULT_NAME : written;
    return [
      explorer.index.program,
      ...(name === explorer.DEFAULT_NAME ? [] : [`-d ${quoted(`service_name=${name}`)}`]),
      ...options,
      `${quoted(explorer.index.template)} ${folderOf(name)}`,
    ].join(" \\\n  ");
  };

  explorer.commandOf = (answers, name) => command(name, explorer.differing(answers).map(
    ({ question, answer }) => question.options[answer]));

  // The same with the answers file of a preset, in a clone of the template.
  explorer.presetCommandOf = (preset, name) =>
    command(name, [`--data-file ${quoted(`${explorer.index.presetFolder}/${preset}.yml`)}`]);
}
