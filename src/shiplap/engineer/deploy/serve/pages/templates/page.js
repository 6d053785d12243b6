// The page: a form made of the signature, the answer to it, and the same request for a shell.
(() => {
  "use strict";
  const at = (id) => document.getElementById(id);
  const made = (tag, properties = {}, ...children) => {
    const { dataset, ...rest } = properties;
    const node = Object.assign(document.createElement(tag), rest);
    Object.assign(node.dataset, dataset);
    node.append(...children);
    return node;
  };
  const percent = (share) => `${(100 * share).toLocaleString(undefined, { maximumFractionDigits: 1 })} %`;
  const shown = (value) => (value === null ? "not a number" : typeof value === "object" ? JSON.stringify(value).replaceAll(",", ", ") : String(value));
  const number = (value) => (typeof value === "number" ? value.toLocaleString(undefined, { maximumSignificantDigits: 6 }) : shown(value));

  let models = [];
  let chosen = null;  // the version whose form is shown
  let fields = [];  // {name, value(), show(fault)}

  // -- fields ------------------------------------------------------------------------------------------------------

  // What each kind of field is: a control, what it says, and how an example is shown in it.
  const kinds = {
    number: (field, control) => ({
      control: Object.assign(control, { inputMode: "decimal", placeholder: "missing" }),
      value: () => asNumber(control.value),
      fill: (example) => (control.value = example ?? ""),
    }),
    text: (field, control) => ({
      control: Object.assign(control, { placeholder: "missing", rows: 4 }),
      value: () => (control.value === "" ? null : control.value),
      fill: (example) => (control.value = example ?? ""),
    }),
    date: (field, control) => ({
      control: Object.assign(control, { type: dateType(field.example), step: "any", placeholder: "missing" }),
      value: () => control.value || null,
      fill: (example) => (control.value = control.type === "datetime-local" ? (example ?? "").replace(" ", "T") : (example ?? "")),
    }),
    category: (field, control) => ({
      control: Object.assign(control, { placeholder: "missing", autocomplete: "off" }),
      value: () => (control.value === "" ? null : typeof field.example === "number" ? asNumber(control.value) : control.value),
      fill: (example) => (control.value = example ?? ""),
    }),
    tensor: (field, control) => ({
      control: Object.assign(control, { rows: 4, spellcheck: false }),
      value: () => JSON.parse(control.value || "null"),
      fill: (example) => (control.value = JSON.stringify(example)),
    }),
  };

  const asNumber = (text) => {
    const bare = text.trim();
    if (bare === "") return null;
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(bare) && Number.isFinite(Number(bare)) ? Number(bare) : text;
  };

  const dateType = (example) => {
    if (/^\d{4}-\d\d-\d\d$/.test(example ?? "")) return "date";
    return /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(example ?? "") ? "datetime-local" : "text";
  };

  function makeField(field, index) {
    const id = `field-${index}`;
    const fault = made("p", { className: "fault", id: `${id}-fault`, hidden: true });
    const words = made("p", { className: "words", id: `${id}-words`, textContent: field.words });
    const parts = field.widget === "boolean" ? choice(field, id) : field.widget === "image" ? picture(field, id) : typed(field, id);
    const controls = parts.controls;
    for (const control of controls) control.setAttribute("aria-describedby", field.words ? `${words.id} ${fault.id}` : fault.id);
    const node = made(parts.tag, { className: `field${["text", "tensor", "image"].includes(field.widget) ? " wide" : ""}` });
    node.append(parts.label, ...parts.nodes, fault, ...(field.words ? [words] : []));
    const show = (message) => {
      fault.hidden = !message;
      fault.textContent = message ?? "";
      for (const control of controls) control.toggleAttribute("aria-invalid", false);
      if (message) for (const control of controls) control.setAttribute("aria-invalid", "true");
    };
    return { name: field.name, node, show, focus: () => controls[0].focus(), value: parts.value, reset: () => { parts.fill(field.example); show(null); } };
  }

  function typed(field, id) {
    const control = made(["text", "tensor"].includes(field.widget) ? "textarea" : "input", { id, name: field.name });
    const kind = kinds[field.widget](field, control);
    const nodes = [control];
    if (field.suggestions.length) {
      control.setAttribute("list", `${id}-known`);
      nodes.push(made("datalist", { id: `${id}-known` }, ...field.suggestions.map((each) => made("option", { value: String(each) }))));
    }
    return { ...kind, tag: "div", label: made("label", { htmlFor: id, textContent: field.name }), nodes, controls: [control] };
  }

  function choice(field, id) {
    const states = [["yes", true], ["no", false], ["missing", null]];
    const radios = states.map(([word], index) => made("input", { type: "radio", name: id, value: word, id: index ? `${id}-${word}` : id }));
    const group = made("div", { className: "three" }, ...radios.map((radio) => made("label", {}, radio, radio.value)));
    return {
      tag: "fieldset",
      label: made("legend", { textContent: field.name }),
      nodes: [group],
      controls: radios,
      value: () => states[radios.findIndex((radio) => radio.checked)][1],
      fill: (example) => (radios[states.findIndex(([, state]) => state === (example ?? null))].checked = true),
    };
  }

  function picture(field, id) {
    const control = made("input", { id, name: field.name, type: "file", accept: "image/png,image/jpeg" });
    const preview = made("img", { alt: "The picture that is sent" });
    let coded = field.example;
    const put = (url) => {
      preview.src = url;
      coded = url.slice(url.indexOf(",") + 1);
    };
    control.addEventListener("change", () => {
      if (!control.files.length) return;
      const reader = new FileReader();
      reader.addEventListener("load", () => { put(reader.result); showCurl(); });
      reader.readAsDataURL(control.files[0]);
    });
    return {
      tag: "div",
      label: made("label", { htmlFor: id, textContent: field.name }),
      nodes: [made("div", { className: "picture" }, preview, control)],
      controls: [control],
      value: () => coded,
      fill: (example) => { control.value = ""; put(`data:image/png;base64,${example}`); },
    };
  }

  // -- asking ------------------------------------------------------------------------------------------------------

  function row() {
    const values = {};
    for (const field of fields) {
      try {
        values[field.name] = field.value();
      } catch {
        return { fault: { field: field.name, detail: "This is not JSON." } };
      }
    }
    return { values };
  }

  const path = () => `predict/${encodeURIComponent(chosen.model)}${chosen.usual ? "" : `/${encodeURIComponent(chosen.version)}`}`;

  function showCurl() {
    const { values } = row();
    if (!values) return;
    const quoted = JSON.stringify(values).replaceAll("'", "'\\''");
    const key = keyed.has() ? ` \\\n  -H "Authorization: Bearer $KEY"` : "";
    const type = `-H 'Content-Type: application/json'`;
    at("curl").textContent = `curl -s '${new URL(path(), document.baseURI)}' \\\n  ${type}${key} \\\n  -d '${quoted}'`;
  }

  async function predict() {
    for (const field of fields) field.show(null);
    const { values, fault } = row();
    if (fault) return refuse(fault);
    const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(values) };
    const began = performance.now();
    try {
      const answer = await keyed.ask(path(), options);
      const told = await answer.json();
      const took = performance.now() - began;
      const facts = { id: answer.headers.get("X-Request-Id"), took };
      answer.ok ? accept(told, facts) : refuse(told, facts);
    } catch {
      refuse({ detail: "The server does not answer." });
    }
  }

  function refuse(problem, facts) {
    const field = fields.find((each) => each.name === problem.field);
    const words = [problem.detail, problem.hint].filter(Boolean).join("; ");
    at("answer").replaceChildren(made("p", { className: "alert", textContent: field ? `Refused: look at “${problem.field}”.` : words }), ...told(facts, problem.status));
    settle("refused");
    if (field) {
      const bare = words.replace(`column '${problem.field}': `, "");
      field.show(`${bare.charAt(0).toUpperCase()}${bare.slice(1)}`);
      field.focus();
    }
  }

  function accept(told, facts) {
    const parts = [made("p", { className: "eyebrow", textContent: "Prediction" })];
    const classes = told.probabilities ?? told.scores;
    const say = classes ? shown : number;
    parts.push(prediction(told.prediction, say));
    if ("decision" in told) parts.push(decision(told.decision, say));
    if (classes) parts.push(...bars(classes, told.prediction, Boolean(told.probabilities)));
    at("answer").replaceChildren(...parts, ...telling(facts, told.ship));
    settle("answered");
  }

  function settle(state) {
    at("answer").dataset.state = state;
    at("answer").scrollIntoView({ block: "nearest" });
  }

  function prediction(value, say) {
    const long = value !== null && typeof value === "object";
    if (long && !Array.isArray(value)) {
      const list = made("dl", { className: "facts", id: "prediction" });
      for (const [name, each] of Object.entries(value)) list.append(made("dt", { textContent: name }), made("dd", { textContent: number(each) }));
      return list;
    }
    return made("p", { className: `said${long ? " long" : ""}`, id: "prediction", textContent: long ? shown(value) : say(value) });
  }

  function decision(value, say) {
    const words = typeof value === "boolean" ? (value ? "yes" : "no") : say(value);
    const what = chosen.decision && value === true ? `: ${chosen.decision}` : "";
    return made("p", { className: `decided${value === true ? " yes" : ""}`, id: "decision", textContent: `Decision: ${words}${what}` });
  }

  function bars(classes, predicted, probable) {
    const all = Object.entries(classes).sort((one, other) => (other[1] ?? -Infinity) - (one[1] ?? -Infinity));
    const sizes = all.map(([, value]) => Math.abs(value ?? 0));
    const most = probable ? 1 : Math.max(...sizes, Number.MIN_VALUE);
    const item = ([name, value]) => {
      const first = name === String(predicted) ? " first" : "";
      const track = made("span", { className: "track" }, made("i"));
      track.firstChild.style.width = `${(100 * Math.max(value ?? 0, 0)) / most}%`;
      if (probable && name === chosen.positive) {
        track.append(made("b", { title: `Decided at ${percent(chosen.threshold)}` }));
        track.lastChild.style.left = `${100 * chosen.threshold}%`;
      }
      const said = value === null ? "not a number" : probable ? percent(value) : number(value);
      return made("li", {}, made("span", { className: `name${first}`, textContent: name }), made("span", { className: first.trim(), textContent: said }), track);
    };
    const title = made("h3", { textContent: probable ? "Probability of each class" : "Score of each class" });
    const list = made("ul", { className: "bars", id: "bars" }, ...all.slice(0, 12).map(item));
    const rest = all.slice(12);
    const more = rest.length ? [made("details", {}, made("summary", { textContent: `${rest.length} more` }), made("ul", { className: "bars" }, ...rest.map(item)))] : [];
    const mark = probable && chosen.positive in classes ? [made("p", { className: "words", textContent: `From the line on, at ${percent(chosen.threshold)}, the decision is yes.` })] : [];
    return [title, list, ...mark, ...more];
  }

  function telling(facts, ship) {
    return told(facts, null, [["Version", ship ? ship.slice(0, 12) : chosen.version]]);
  }

  function told(facts, status, more = []) {
    if (!facts) return [];
    const rows = [["Status", status], ...more, ["Request", facts.id], ["Time", `${facts.took.toFixed(facts.took < 10 ? 1 : 0)} ms, there and back`]];
    const list = made("dl", { className: "facts" });
    for (const [name, value] of rows) if (value) list.append(made("dt", { textContent: name }), made("dd", { textContent: value }));
    return [list];
  }

  // -- choosing ----------------------------------------------------------------------------------------------------

  function showVersion() {
    chosen = models[at("model").selectedIndex].versions[at("version").selectedIndex];
    fields = chosen.fields.map(makeField);
    at("fields").replaceChildren(...fields.map((field) => field.node));
    at("title").textContent = chosen.model;
    at("about").textContent = chosen.about;
    document.title = `${chosen.model} · Shiplap`;
    reset();
  }

  function reset() {
    for (const field of fields) field.reset();
    showCurl();
  }

  function showModel() {
    const { versions } = models[at("model").selectedIndex];
    at("version").replaceChildren(...versions.map((each) => made("option", { textContent: each.title })));
    showVersion();
  }

  async function begin() {
    const answer = await keyed.ask("form.json");
    if (!answer.ok) throw new Error((await answer.json()).detail);
    ({ models } = await answer.json());
    if (!models.length) throw new Error("No model is served here now.");
    at("model").replaceChildren(...models.map((each) => made("option", { textContent: each.name })));
    at("choose").hidden = models.length === 1 && models[0].versions.length === 1;
    at("ask").hidden = false;
    showModel();
    document.documentElement.dataset.ready = "true";
  }

  at("model").addEventListener("change", showModel);
  at("version").addEventListener("change", showVersion);
  at("form").addEventListener("input", showCurl);
  at("form").addEventListener("submit", (event) => { event.preventDefault(); predict(); });
  at("form").addEventListener("reset", (event) => { event.preventDefault(); reset(); });
  at("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(at("curl").textContent);
      at("copy").textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(at("curl"));
      at("copy").textContent = "Selected";
    }
    setTimeout(() => (at("copy").textContent = "Copy"), 2000);
  });
  begin().catch((error) => (at("about").textContent = error.message));
})();
