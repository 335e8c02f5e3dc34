// What the page says of many runs: their table, their curves, and where two of them differ.

// ---- the table of runs --------------------------------------------------------------------------------------------

function compareCells(one, other) {
  const [a, b] = [one.value, other.value];
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === typeof b) return String(a).localeCompare(String(b), undefined, { numeric: true });
  return typeof a === "number" ? -1 : 1;
}

function runsTable(shown, onToggle, onOpen) {
  const body = make("tbody");
  const count = make("span", { class: "soft", id: "count" });
  let order = DATA.runs.map((_, place) => place);
  let words = [];
  const draw = () => {
    const fitting = order.filter((place) => {
      const text = DATA.runs[place].cells.map((cell) => cell.text).join(" ").toLowerCase();
      return words.every((word) => text.includes(word));
    });
    body.replaceChildren(...fitting.map((place) => row(place)));
    count.textContent = fitting.length === DATA.runs.length ? "" : `${fitting.length} of ${DATA.runs.length} runs`;
  };
  const row = (place) => {
    const run = DATA.runs[place];
    const box = make("input", {
      type: "checkbox", "aria-label": `curves of ${run.id}`, disabled: !hasCurves(run),
      onchange: (event) => onToggle(place, event.target.checked),
    });
    box.checked = shown.has(place);
    const cells = run.cells.map((cell, column) => {
      if (column === 0) {
        const name = run.detailed ? make("button", { class: "link", type: "button", title: run.id, onclick: () => onOpen(place) }, cell.text) : cell.text;
        return make("td", {}, name);
      }
      const classes = [DATA.columns[column].numeric ? "number" : "", cell.best ? "best" : "", column === 1 ? `status-${run.status}` : ""];
      return make("td", { class: classes.join(" ").trim() || undefined }, cell.text);
    });
    return make("tr", { title: run.error || undefined }, make("td", {}, box), cells);
  };
  const heads = DATA.columns.map((column, place) => {
    const head = make("th", { scope: "col", class: column.numeric ? "number" : undefined, "aria-sort": "none" });
    head.append(make("button", { type: "button", onclick: () => {
      const falls = head.getAttribute("aria-sort") === "ascending" || (head.getAttribute("aria-sort") === "none" && column.falls);
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", falls ? "descending" : "ascending");
      order.sort((a, b) => {
        const [one, other] = [DATA.runs[a].cells[place], DATA.runs[b].cells[place]];
        const [missing, absent] = [one.value === null, other.value === null];
        if (missing || absent) return missing - absent || a - b;
        return (falls ? -1 : 1) * compareCells(one, other) || a - b;
      });
      draw();
    } }, column.label));
    return head;
  });
  const search = make("input", { type: "search", placeholder: "only rows with these words", "aria-label": "filter", oninput: (event) => {
    words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    draw();
  } });
  draw();
  const head = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "curves"), heads));
  return [make("div", { class: "tools" }, search, count), make("div", { class: "scroll tall" }, make("table", { id: "runs" }, head, body)), draw];
}

// ---- learning curves ----------------------------------------------------------------------------------------------

function hasCurves(run) {
  return Boolean(run.curves && Object.keys(run.curves).length);
}

function curveNames(runs) {
  return [...new Set(runs.flatMap((run) => Object.keys(run.curves || {})))].sort((a, b) => (b === "loss") - (a === "loss"));
}

function colourOf(place) {
  return COLOURS[place % COLOURS.length];
}

function linesOf(runs, name, stages, labelled) {
  return runs.flatMap(([run, place]) => stages.flatMap((stage) => {
    const points = ((run.curves || {})[name] || {})[stage];
    const label = labelled ? `${run.short} ${STAGE_NAMES[stage]}` : STAGE_NAMES[stage];
    const colour = labelled ? colourOf(place) : COLOURS[stage === "train" ? 0 : 1];
    return points ? [{ label, colour, dashed: stage === "train" && labelled, points }] : [];
  }));
}

function curvesOfAll(shown, onChange) {
  const names = curveNames(DATA.runs);
  if (!names.length) return [null, () => {}];
  const stages = { train: true, val: true };
  const panels = make("div", { class: "panels", id: "curves" });
  const legend = make("ul", { class: "legend", id: "legend" });
  let chosen = new Set(names.slice(0, 2));
  const draw = () => {
    const runs = [...shown].sort((a, b) => a - b).map((place) => [DATA.runs[place], place]);
    const wanted = ["train", "val"].filter((stage) => stages[stage]);
    const units = new Set(runs.map(([run]) => run.unit));
    const unit = units.size === 1 ? [...units][0] : "epoch";
    panels.replaceChildren(...names.filter((name) => chosen.has(name)).map((name) =>
      chart(name.replaceAll("_", " "), linesOf(runs, name, wanted, true), unit, DATA.lower.includes(name))));
    legend.replaceChildren(...runs.map(([run, place]) => {
      const swatch = make("span", { class: "swatch" });
      swatch.style.borderTopColor = colourOf(place);
      return make("li", {}, swatch, run.short, " ", make("span", { class: "soft" }, run.label));
    }));
  };
  const toggle = (label, pressed, action) => make("button", { type: "button", "aria-pressed": String(pressed), onclick: (event) => {
    const now = event.target.getAttribute("aria-pressed") !== "true";
    event.target.setAttribute("aria-pressed", String(now));
    action(now);
    draw();
  } }, label);
  const tools = make("div", { class: "tools" },
    names.map((name) => toggle(name.replaceAll("_", " "), chosen.has(name), (on) => (on ? chosen.add(name) : chosen.delete(name)))),
    toggle("training (dashed)", true, (on) => { stages.train = on; }),
    toggle("validation", true, (on) => { stages.val = on; }),
    make("button", { type: "button", onclick: () => { shown.clear(); onChange(); } }, "no runs"),
    make("button", { type: "button", onclick: () => { DATA.runs.forEach((run, place) => hasCurves(run) && shown.add(place)); onChange(); } }, "all runs"));
  return [section("Learning curves", tools, panels, legend), draw];
}

// ---- two runs -----------------------------------------------------------------------------------------------------

function runSelect(label, chosen, onChange) {
  const options = DATA.runs.flatMap((run, place) => {
    if (!run.detailed) return [];
    const option = make("option", { value: String(place) }, `${run.short} ${run.label}`);
    option.selected = place === chosen;
    return [option];
  });
  return make("label", {}, label, make("select", { "aria-label": label, onchange: (event) => onChange(Number(event.target.value)) }, options));
}

// Runs with all that is known of them, those that scored first: what is looked at before anybody chose.
function telling() {
  const places = DATA.runs.flatMap((run, place) => (run.detailed ? [place] : []));
  const scored = (place) => Object.keys(DATA.runs[place].metrics || {}).length > 0;
  return [...places.filter(scored), ...places.filter((place) => !scored(place))];
}

function differences() {
  const places = telling().filter((place) => DATA.runs[place].settings);
  if (places.length < 2) return null;
  const pair = [places[0], places[1]];
  const body = make("tbody");
  const same = make("p", { class: "note" });
  const draw = () => {
    const [one, other] = pair.map((place) => DATA.runs[place]);
    const rows = ["metrics", "settings", "environment"].map((kind) => [kind, one[kind] || {}, other[kind] || {}]).flatMap(([kind, a, b]) => {
      const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => String(a[key]) !== String(b[key]));
      return keys.map((key, index) => make("tr", {},
        make("td", { class: "soft" }, index ? "" : kind),
        make("td", { class: "wrap" }, key),
        make("td", { class: "wrap" }, figure(a[key])),
        make("td", { class: "wrap" }, figure(b[key]))));
    });
    body.replaceChildren(...rows);
    same.textContent = rows.length ? "" : "no difference in settings, environment or result";
    heads[0].textContent = one.short;
    heads[1].textContent = other.short;
  };
  const heads = [make("th", { scope: "col" }), make("th", { scope: "col" })];
  const choose = (side) => (place) => { pair[side] = place; draw(); };
  draw();
  return section("Two runs, and where they differ",
    make("div", { class: "tools" }, runSelect("A", pair[0], choose(0)), runSelect("B", pair[1], choose(1))),
    make("div", { class: "scroll tall" }, make("table", { id: "differences" },
      make("thead", {}, make("tr", {}, make("th", {}), make("th", { scope: "col" }, "key"), heads)), body)), same);
}
