// Shows buttons with data-copy, which pages keep hidden, and makes them copy their text.
"use strict";
(() => {
  const fallback = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("not copied"));
  };
  const copy = (text) =>
    navigator.clipboard && window.isSecureContext
      ? navigator.clipboard.writeText(text).catch(() => fallback(text))
      : fallback(text);
  for (const button of document.querySelectorAll("button[data-copy]")) {
    const label = button.textContent;
    button.hidden = false;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", () => {
      copy(button.dataset.copy).then(() => {
        button.textContent = button.dataset.copied || "✓";
        setTimeout(() => { button.textContent = label; }, 2000);
      }, () => {});
    });
  }
})();
