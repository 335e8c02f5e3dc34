"use strict";
// Everything shown comes from the JSON in this page and is put in as text, never as markup.

const DATA = JSON.parse(document.getElementById("data").textContent);
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#8B5CF6"];
const SVG = "http://www.w3.org/2000/svg";
const STAGES = ["train", "val", "test"];
const STAGE_NAMES = { train: "training", val: "validation", test: "test" };
const MOST_SHOWN_AT_FIRST = 6;

function make(tag, attributes, ...children) {
  const element = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

function section(title, ...children) {
  return make("section", {}, make("h2", {}, title), children);
}

function figure(value, digits) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  return Number(value.toPrecision(digits || 4)).toString();
}

// ---- charts -------------------------------------------------------------------------------------------------------

function ticks(low, high, count) {
  if (!(high > low)) return [low];
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= raw);
  const found = [];
  for (let one = Math.ceil(low / step) * step; one <= high + step * 1e-9; one += step) found.push(Number(one.toPrecision(12)));
  return found;
}

function logTicks(low, high) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const factor of [1, 2, 5]) {
      const one = Number((factor * 10 ** power).toPrecision(6));
      if (one >= low && one <= high) found.push(one);
    }
  }
  return found.length > 7 ? found.filter((one) => Number.isInteger(Number(Math.log10(one).toFixed(9)))) : found;
}

/** One panel: `lines` are {label, colour, dashed, points: [[x, y], …]}. */
function chart(title, lines, unit, logarithmic) {
  const size = { width: 600, height: 320, left: 56, right: 14, top: 30, bottom: 40 };
  const points = lines.flatMap((line) => line.points);
  const box = make("div", { class: "chart" });
  const svg = make("svg:svg", { viewBox: `0 0 ${size.width} ${size.height}`, role: "img", "aria-label": `${title} over ${unit}` });
  svg.append(make("svg:text", { class: "title", x: size.left, y: 16 }, title));
  box.append(svg);
  if (!points.length) {
    svg.append(make("svg:text", { x: size.width / 2, y: size.height / 2, "text-anchor": "middle" }, "no run with this curve is shown"));
    return box;
  }
  const span = (values) => [Math.min(...values), Math.max(...values)];
  let [left, right] = span(points.map((point) => point[0]));
  if (left === right) [left, right] = [left - 1, right + 1];
  let [low, high] = span(points.map((point) => point[1]));
  const log = logarithmic && low > 0 && high / low > 30;
  if (!log) {
    const margin = (high - low || Math.abs(high) || 1) * 0.05;
    [low, high] = [low - margin, high + margin];
  }
  const [from, to] = log ? [Math.log(low), Math.log(high)] : [low, high];
  const x = (value) => size.left + ((value - left) / (right - left)) * (size.width - size.left - size.right);
  const y = (value) => size.height - size.bottom - (((log ? Math.log(value) : value) - from) / (to - from)) * (size.height - size.top - size.bottom);
  for (const tick of log ? logTicks(low, high) : ticks(low, high, 5)) {
    svg.append(make("svg:line", { class: "grid", x1: size.left, x2: size.width - size.right, y1: y(tick), y2: y(tick) }));
    svg.append(make("svg:text", { x: size.left - 8, y: y(tick) + 4, "text-anchor": "end" }, figure(tick, 6)));
  }
  for (const tick of ticks(left, right, 7).filter(Number.isInteger)) {
    svg.append(make("svg:text", { x: x(tick), y: size.height - size.bottom + 18, "text-anchor": "middle" }, String(tick)));
  }
  svg.append(make("svg:text", { x: (size.left + size.width - size.right) / 2, y: size.height - 4, "text-anchor": "middle" }, unit));
  for (const line of lines) {
    const path = line.points.map(([place, value], index) => `${index ? "L" : "M"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`);
    svg.append(make("svg:path", {
      d: path.join(""), fill: "none", stroke: line.colour, "stroke-width": 2, "stroke-linejoin": "round",
      "stroke-dasharray": line.dashed ? "5 4" : undefined,
    }));
    if (line.points.length <= 30) {
      for (const [place, value] of line.points) svg.append(make("svg:circle", { cx: x(place), cy: y(value), r: 2.4, fill: line.colour }));
    }
  }
  addCursor(box, svg, size, lines, unit, { x, left, right });
  return box;
}

function addCursor(box, svg, size, lines, unit, scale) {
  const cursor = make("svg:line", { class: "cursor", y1: size.top, y2: size.height - size.bottom, visibility: "hidden" });
  const tip = make("div", { class: "tip", hidden: true });
  svg.append(cursor);
  box.append(tip);
  const places = [...new Set(lines.flatMap((line) => line.points.map((point) => point[0])))].sort((a, b) => a - b);
  const hide = () => { tip.hidden = true; cursor.setAttribute("visibility", "hidden"); };
  const move = (event) => {
    const area = svg.getBoundingClientRect();
    const at = ((event.clientX - area.left) / area.width) * size.width;
    const place = places.reduce((best, one) => (Math.abs(scale.x(one) - at) < Math.abs(scale.x(best) - at) ? one : best));
    const rows = lines
      .map((line) => [line, (line.points.find((point) => point[0] === place) || [])[1]])
      .filter(([, value]) => value !== undefined)
      .slice(0, 12)
      .map(([line, value]) => {
        const swatch = make("span", { class: "swatch" });
        swatch.style.borderTopColor = line.colour;
        swatch.style.borderTopStyle = line.dashed ? "dashed" : "solid";
        return make("div", {}, swatch, `${line.label}: ${figure(value, 5)}`);
      });
    tip.replaceChildren(make("strong", {}, `${unit} ${figure(place)}`), ...rows);
    tip.hidden = false;
    const onTheLeft = scale.x(place) > size.width / 2;
    tip.style.left = onTheLeft ? "auto" : `${(scale.x(place) / size.width) * 100 + 2}%`;
    tip.style.right = onTheLeft ? `${100 - (scale.x(place) / size.width) * 100 + 2}%` : "auto";
    cursor.setAttribute("x1", scale.x(place));
    cursor.setAttribute("x2", scale.x(place));
    cursor.setAttribute("visibility", "visible");
  };
  svg.addEventListener("pointermove", move);
  svg.addEventListener("pointerleave", hide);
}

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

// ---- one run ------------------------------------------------------------------------------------------------------

function metricsTable(run) {
  const names = Object.keys(run.metrics || {});
  const stages = STAGES.filter((stage) => names.some((name) => name.startsWith(`${stage}/`)));
  const lasts = [...new Set(names.filter((name) => stages.includes(name.split("/")[0])).map((name) => name.slice(name.indexOf("/") + 1)))];
  lasts.sort((a, b) => a.endsWith("loss") - b.endsWith("loss"));
  if (!lasts.length) return null;
  return make("table", { class: "metrics" },
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "metric"), stages.map((stage) => make("th", { scope: "col", class: "number" }, STAGE_NAMES[stage])))),
    make("tbody", {}, lasts.map((last) => make("tr", {}, make("td", {}, last),
      stages.map((stage) => make("td", { class: stage === "test" ? "number best" : "number" }, figure(run.metrics[`${stage}/${last}`])))))));
}

function factsTable(facts) {
  const rows = Object.entries(facts || {}).filter(([, value]) => value !== null && value !== "");
  return rows.length ? make("table", { class: "facts" }, make("tbody", {}, rows.map(([name, value]) =>
    make("tr", {}, make("td", {}, name), make("td", { class: "wrap" }, figure(value, 6)))))) : null;
}

// The bars of a column have a cell of their own, so that all begin at one place whatever the length of the figure.
function classesTable(run) {
  const names = Object.keys(run.per_class || {});
  const classes = [...new Set(names.flatMap((name) => Object.keys(run.per_class[name])))];
  if (!classes.length) return null;
  const weakest = Object.fromEntries(names.map((name) => [name, Math.min(...Object.values(run.per_class[name]))]));
  const cells = (name, label) => {
    const value = run.per_class[name][label];
    if (value === undefined) return [make("td", { class: "number" }, "–"), make("td", {})];
    const bar = make("span", { class: value === weakest[name] ? "bar weakest" : "bar" });
    bar.style.width = `${Math.max(0, Math.min(1, value)) * 90}px`;
    return [make("td", { class: "number" }, value.toFixed(4)), make("td", { class: "measure" }, bar)];
  };
  return make("div", { class: "scroll tall" }, make("table", { class: "classes" },
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "class"), names.map((name) => make("th", { scope: "col", colspan: 2 }, name.replace("test/", ""))))),
    make("tbody", {}, classes.map((label) => make("tr", {}, make("td", {}, label), names.map((name) => cells(name, label)))))));
}

function confusion(run) {
  const { classes, counts } = run.confusion;
  const upright = classes.some((name) => name.length > 4);
  const sums = counts.map((row) => row.reduce((a, b) => a + b, 0));
  const rows = counts.map((row, truth) => make("tr", {}, make("th", { scope: "row" }, classes[truth]), row.map((count, taken) => {
    const share = sums[truth] ? count / sums[truth] : 0;
    const cell = make("td", { title: `${classes[truth]} taken for ${classes[taken]}: ${count} of ${sums[truth]}` }, count ? String(count) : "");
    const depth = Math.sqrt(share);
    cell.style.background = count ? `rgba(var(--heat), ${depth.toFixed(3)})` : "transparent";
    if (depth > 0.55) cell.style.color = "var(--paper)";
    if (!count) cell.style.boxShadow = "inset 0 0 0 0.5px var(--line)";
    return cell;
  })));
  const heads = classes.map((name) => make("th", { scope: "col" }, make("span", upright ? { class: "upright" } : {}, name)));
  return make("div", { class: "scroll" },
    make("table", { class: "matrix" }, make("thead", {}, make("tr", {}, make("th", {}), heads)), make("tbody", {}, rows)),
    make("p", { class: "note" }, "rows: the true class; columns: what it was taken for; the shade is the share of the row"));
}

function pictures(run) {
  return (run.pictures || []).map((picture) =>
    make("figure", {}, make("img", { src: picture.source, alt: picture.name }), make("figcaption", {}, picture.name)));
}

function mistakes(run) {
  const wide = run.mistakes.some((one) => one.wide);
  return make("div", { class: wide ? "gallery wide" : "gallery" }, run.mistakes.map((one) =>
    make("figure", {}, one.source ? make("img", { src: one.source, alt: one.said }) : null, make("figcaption", {}, one.said, make("br"), make("span", { class: "soft" }, one.name)))));
}

function answersTable(run) {
  const { columns, rows, total } = run.answers;
  return [make("div", { class: "scroll tall" }, make("table", {},
    make("thead", {}, make("tr", {}, columns.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, rows.map((row) => make("tr", {}, row.map((cell) => make("td", {}, cell))))))),
  make("p", { class: "note" }, total > rows.length ? `the first ${rows.length} of ${total}; predictions.csv has all` : `all ${total}`)];
}

function runDetails(run, heading) {
  const part = (title, ...children) => (children.flat().some(Boolean) ? [make(heading, {}, title), ...children.flat()] : []);
  const curves = curveNames([run]).slice(0, 4).map((name) =>
    chart(name.replaceAll("_", " "), linesOf([[run, 0]], name, ["train", "val"], false), run.unit, DATA.lower.includes(name)));
  const legend = curves.length ? make("ul", { class: "legend" }, ["train", "val"].map((stage, place) => {
    const swatch = make("span", { class: "swatch" });
    swatch.style.borderTopColor = COLOURS[place];
    return make("li", {}, swatch, STAGE_NAMES[stage]);
  })) : null;
  const result = [metricsTable(run), factsTable(run.facts)];
  return [
    run.error ? make("p", { class: "verdict error" }, `${run.status}: ${run.error}`) : null,
    run.verdict ? make("p", { class: "verdict" }, run.verdict) : null,
    part("Result", result.some(Boolean) ? make("div", { class: "columns" }, result) : null),
    part("Learning curves", curves.length ? make("div", { class: "panels" }, curves) : null, legend),
    part("By class", classesTable(run)),
    run.confusion ? part("Confusion matrix", confusion(run)) : [],
    run.mistakes && run.mistakes.length ? part(run.mistakes_title, mistakes(run)) : [],
    run.mistakes_note ? make("p", { class: "note" }, run.mistakes_note) : null,
    part("Sample pictures of the test", pictures(run)),
    run.profile ? part("The net", make("figure", {}, make("img", { src: run.profile, alt: "the net's profile" }))) : [],
    run.profile_note ? make("p", { class: "note" }, run.profile_note) : null,
    run.answers ? part("Predictions", answersTable(run)) : [],
    run.command ? part("Command", make("pre", {}, run.command)) : [],
    part("Environment", factsTable(run.environment)),
    DATA.runs.length === 1 && run.settings ? part("Settings", make("div", { class: "scroll tall" }, factsTable(run.settings))) : [],
  ].flat(2).filter(Boolean);
}

// ---- the page -----------------------------------------------------------------------------------------------------

function pageOfRuns(main) {
  const shown = new Set();
  DATA.runs.forEach((run, place) => { if (hasCurves(run) && shown.size < MOST_SHOWN_AT_FIRST) shown.add(place); });
  const details = make("div", { id: "details" });
  const [detailed = -1] = telling();
  const select = make("span");
  const open = (place, scroll) => {
    select.replaceChildren(runSelect("run", place, (chosen) => open(chosen, false)));
    details.replaceChildren(...runDetails(DATA.runs[place], "h3"));
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (scroll) detailsSection.scrollIntoView({ behavior: still ? "instant" : "smooth" });
  };
  const detailsSection = section("One run", make("div", { class: "tools" }, select), details);
  const [curves, drawCurves] = curvesOfAll(shown, () => { drawRows(); drawCurves(); });
  const [tools, table, drawRows] = runsTable(shown, (place, on) => { if (on) shown.add(place); else shown.delete(place); drawCurves(); }, (place) => open(place, true));
  main.append(section("Runs", tools, table, DATA.notes.map((note) => make("p", { class: "note" }, note))));
  drawCurves();
  for (const part of [curves, differences(), detailed >= 0 ? detailsSection : null]) if (part) main.append(part);
  if (detailed >= 0) open(detailed, false);
}

const main = document.getElementById("page");
main.append(make("h1", {}, DATA.title), make("p", { class: "soft" }, DATA.subtitle));
if (DATA.runs.length === 1) main.append(...runDetails(DATA.runs[0], "h2"), ...DATA.notes.map((note) => make("p", { class: "note" }, note)));
else pageOfRuns(main);
document.documentElement.dataset.drawn = "yes";
