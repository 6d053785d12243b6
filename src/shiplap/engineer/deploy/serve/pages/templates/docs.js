// The description: asked for where it needs a key, and opened at the place that the address names.
(() => {
  "use strict";
  const holder = document.getElementById("operations");

  const open = () => {
    const place = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!place) return;
    if (place.matches("details")) place.open = true;
    place.scrollIntoView();
  };

  async function begin() {
    if (holder.dataset.ask) {
      const answer = await keyed.ask(holder.dataset.ask);
      const text = await answer.text();
      holder.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
    }
    addEventListener("hashchange", open);
    open();
    document.documentElement.dataset.ready = "true";
  }

  begin();
})();
