// Asks this server; where it wants a key, the reader is asked for one, and it is sent with every request from then on.
const keyed = (() => {
  "use strict";
  const form = document.getElementById("key");
  let key = "";
  let waiting = null;
  const hint = form.querySelector(".fault");

  const headers = () => (key ? { Authorization: `Bearer ${key}` } : {});

  const entered = () =>
    new Promise((resolve) => {
      waiting = resolve;
      form.hidden = false;
      form.elements.key.focus();
    });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    key = form.elements.key.value.trim();
    form.hidden = true;
    waiting?.();
  });

  async function ask(path, options = {}) {
    for (;;) {
      const sent = { ...options, headers: { ...options.headers, ...headers() } };
      const answer = await fetch(path, { cache: "no-store", ...sent });
      if (answer.status !== 401) return answer;
      hint.textContent = "This key is not known here.";
      hint.hidden = !key;
      await entered();
    }
  }

  return { ask, has: () => key !== "" };
})();
