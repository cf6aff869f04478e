"use strict";

// The width at which the panes of the page are one below the other, as in explorer.css.
explorer.narrow = matchMedia("(max-width: 60rem)");

// Elements of the page, without a library.
explorer.element = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined));
  return element;
};

explorer.number = (value) => value.toLocaleString("en-US");
explorer.count = (value, noun) => `${explorer.number(value)} ${noun}${value === 1 ? "" : "s"}`;
explorer.signed = (value, noun) =>
  `${value < 0 ? "−" : "+"}${explorer.count(Math.abs(value), noun)}`;

// Text with `code` in backticks.
explorer.prose = (text) => text.split("`").map((part, index) =>
  (index % 2 ? explorer.element("code", {}, part) : part));

// A path that may be broken after each folder and word.
explorer.breakable = (path) => path.split(/(?<=[/_])/).flatMap((part, index) =>
  (index ? [document.createElement("wbr"), part] : [part]));

// A button that copies a text; the clipboard is missing on pages without a secure origin.
explorer.copyButton = (label, textOf) => {
  const button = explorer.element("button", { type: "button", class: "copy" }, label);
  const say = (word) => {
    button.textContent = word;
    setTimeout(() => { button.textContent = label; }, 2000);
  };
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(textOf());
      say("Copied");
    } catch {
      const field = explorer.element("textarea", { class: "off-screen" });
      field.value = textOf();
      document.body.append(field);
      field.select();
      say(document.execCommand("copy") ? "Copied" : "Press Ctrl+C");
      field.remove();
      button.focus();
    }
  });
  return button;
};
