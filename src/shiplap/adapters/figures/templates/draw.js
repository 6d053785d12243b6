// Unpacks BokehJS, draws the figures in view, then those near it, then the rest one by one; swaps
// the palette with the theme. Nothing here asks the network.
(() => {
  "use strict";
  const toDark = __PALETTE__;
  const toLight = Object.fromEntries(Object.entries(toDark).map(([light, dark]) => [dark, light]));
  const root = document.documentElement;
  const drawn = [];
  let palette = "light";

  // The policy of the page allows this script by the digest of what is unpacked, and no other.
  const unpack = async () => {
    const packed = atob(document.getElementById("library").textContent);
    const bytes = Uint8Array.from(packed, (char) => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
    Bokeh.set_log_level("error");
  };

  const swapped = (value, map) => {
    if (typeof value === "string") return map[value];
    if (Array.isArray(value) && value.some((entry) => map[entry])) return value.map((entry) => map[entry] ?? entry);
    if (value && typeof value === "object" && map[value.value]) return { ...value, value: map[value.value] };
    return undefined;
  };
  const recolor = (view, map) => {
    for (const model of view.model.references()) {
      const changes = {};
      for (const property of model) {
        const value = property.is_unset ? undefined : swapped(property.get_value(), map);
        if (value !== undefined) changes[property.attr] = value;
      }
      model.setv(changes);
      const inks = model.type === "ColumnDataSource" ? model.get_column("ink") : null;
      if (inks) {
        // Bokeh keeps columns in a Map or in a plain object, as its version pleases.
        const columns = Object.fromEntries(model.data instanceof Map ? model.data : Object.entries(model.data));
        model.setv({ data: { ...columns, ink: [...inks].map((color) => map[color] ?? color) } });
      }
    }
    // Bokeh would do this after a pause; paper does not wait.
    for (const renderer of view.computed_renderer_views ?? []) renderer.set_visuals?.();
  };
  const show = (theme) => {
    if (theme === palette) return;
    palette = theme;
    for (const { view } of drawn) recolor(view, theme === "dark" ? toDark : toLight);
  };

  const draw = async (place) => {
    if (place.dataset.state) return;
    place.dataset.state = "drawing";
    let text = document.getElementById(`${place.id}-data`).textContent;
    const inDark = palette === "dark";
    if (inDark) text = text.replace(/"(#[0-9a-f]{6})"/g, (whole, color) => (toDark[color] ? `"${toDark[color]}"` : whole));
    const views = await Bokeh.embed.embed_item(JSON.parse(text), place.id);
    for (const view of views) {
      if (view.model.type !== "Figure") continue;
      if (inDark !== (palette === "dark")) recolor(view, palette === "dark" ? toDark : toLight);
      drawn.push({ place, view });
    }
    place.dataset.state = "drawn";
  };
  const ready = unpack();
  const drawWithin = async (element, wanted = () => true) => {
    await ready;
    for (const place of element.querySelectorAll("[data-figure]")) {
      if (place.dataset.state || place.closest("details:not([open])") || !wanted(place)) continue;
      await draw(place);
      await new Promise((resume) => setTimeout(resume));
    }
  };
  const inView = (place) => place.getBoundingClientRect().top < innerHeight;
  const near = new IntersectionObserver(
    (entries) => entries.forEach(async (entry) => entry.isIntersecting && (await ready, draw(entry.target))),
    { rootMargin: "300px" },
  );

  document.addEventListener("themechange", () => show(root.dataset.theme));
  document.addEventListener("toggle", (event) => event.target.open && drawWithin(event.target), true);
  // Paper is white and narrow: light colors at once, and drawings no wider than the sheet.
  addEventListener("beforeprint", () => {
    show("light");
    for (const { place, view } of drawn) {
      place.style.zoom = Math.min(1, 660 / (place.offsetWidth || 660));
      view.paint();
    }
  });
  addEventListener("afterprint", () => {
    for (const { place } of drawn) place.style.zoom = "";
    show(root.dataset.theme);
  });

  palette = root.dataset.theme;
  (async () => {
    await drawWithin(document, inView);
    root.dataset.firstMs = performance.now().toFixed(0);
    for (const place of document.querySelectorAll("[data-figure]")) near.observe(place);
    await drawWithin(document);
    root.dataset.drawn = String(drawn.length);
    root.dataset.drawnMs = performance.now().toFixed(0);
  })();
})();
