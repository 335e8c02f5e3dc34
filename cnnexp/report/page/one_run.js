// What the page says of one run: its result, curves, classes, mistakes and settings.

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
function partsTable(values, heading) {
  const names = Object.keys(values || {});
  const classes = [...new Set(names.flatMap((name) => Object.keys(values[name])))];
  if (!classes.length) return null;
  const weakest = Object.fromEntries(names.map((name) => [name, Math.min(...Object.values(values[name]))]));
  const cells = (name, label) => {
    const value = values[name][label];
    if (value === undefined) return [make("td", { class: "number" }, "–"), make("td", {})];
    const bar = make("span", { class: value === weakest[name] ? "bar weakest" : "bar" });
    bar.style.width = `${Math.max(0, Math.min(1, value)) * 90}px`;
    return [make("td", { class: "number" }, value.toFixed(4)), make("td", { class: "measure" }, bar)];
  };
  return make("div", { class: "scroll tall" }, make("table", { class: "classes" },
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, heading), names.map((name) => make("th", { scope: "col", colspan: 2 }, name.replace("test/", ""))))),
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
    make("figure", {}, one.source ? make("img", { src: one.source, alt: one.said }) : null, one.written ? make("blockquote", {}, one.written) : null, player(one.heard), make("figcaption", {}, one.said, make("br"), make("span", { class: "soft" }, one.name)))));
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
  const curves = curveNames([run]).slice(0, MOST_CURVES).map((name) =>
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
    part("By kind", partsTable(run.per_kind, "kind")),
    part("By class", partsTable(run.per_class, "class")),
    run.confusion ? part("Confusion matrix", confusion(run)) : [],
    run.mistakes && run.mistakes.length ? part(run.mistakes_title, mistakes(run)) : [],
    run.mistakes_note ? make("p", { class: "note" }, run.mistakes_note) : null,
    part("Samples of the test", pictures(run)),
    run.profile ? part("The net", make("figure", {}, make("img", { src: run.profile, alt: "the net's profile" }))) : [],
    run.profile_note ? make("p", { class: "note" }, run.profile_note) : null,
    run.answers ? part("Predictions", answersTable(run)) : [],
    run.command ? part("Command", make("pre", {}, run.command)) : [],
    part("Environment", factsTable(run.environment)),
    DATA.runs.length === 1 && run.settings ? part("Settings", make("div", { class: "scroll tall" }, factsTable(run.settings))) : [],
  ].flat(2).filter(Boolean);
}
