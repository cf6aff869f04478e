"use strict";

// The theme of the system, or the one that the reader chose, here or on the other pages.
{
  const KEY = "theme"; // also of Furo, the theme of the other pages
  const NEXT = { auto: "light", light: "dark", dark: "auto" };

  const read = () => {
    try {
      return localStorage.getItem(KEY) in NEXT ? localStorage.getItem(KEY) : "auto";
    } catch {
      return "auto";
    }
  };
  const apply = (theme) => { document.documentElement.dataset.theme = theme; };
  apply(read());

  explorer.connectTheme = (button) => {
    const show = (theme) => {
      apply(theme);
      button.textContent = `Theme: ${theme}`;
    };
    show(read());
    button.addEventListener("click", () => {
      const theme = NEXT[document.documentElement.dataset.theme];
      try {
        localStorage.setItem(KEY, theme);
      } catch { /* the choice lasts as long as the page */ }
      show(theme);
    });
  };
}
