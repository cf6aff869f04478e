"use strict";

// Loads data by script tags, because browsers refuse fetch() and modules on file: pages.
const explorer = {};

{
  const waiting = new Map();
  const loaded = new Map();

  // Each data script calls this with its content.
  explorer.receive = (name, content) => waiting.get(name)(content);

  // A promise of the content of a data script, which is loaded once.
  explorer.load = (name, path) => {
    if (!loaded.has(name)) {
      loaded.set(name, new Promise((resolve, reject) => {
        waiting.set(name, resolve);
        const script = document.createElement("script");
        script.src = `data/${path}.js`;
        script.onerror = () => {
          loaded.delete(name);
          reject(new Error(`data/${path}.js is missing: run \`make site\` again.`));
        };
        document.head.append(script);
      }));
    }
    return loaded.get(name);
  };
}
