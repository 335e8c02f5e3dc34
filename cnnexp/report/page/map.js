// Samples as points in the plane: the one under the pointer shows its picture.

function pageOfMap(main) {
  const { views, samples, classes, plain } = DATA.map;
  const size = 820, margin = 14, near = 18;
  const colours = new Map(classes.map(([label, , colour]) => [label, colour]));
  const titles = new Map(classes.map(([label, name]) => [label, name]));
  const svg = make("svg:svg", { viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": DATA.title });
  const dots = samples.map((one) => make("svg:circle", { r: 4.5, fill: colours.get(one.label) || plain }));
  const ring = make("svg:circle", { class: "ring", r: 8, fill: "none" });
  const picture = make("img", { alt: "" }), words = make("p", {});
  const tip = make("div", { class: "near", hidden: true }, picture, words);
  svg.append(...dots, ring);
  ring.style.display = "none";
  let places = [], alone = null;

  function arrange(view) {
    const axis = (index) => view.points.map((point) => point[index]);
    const fit = (values) => {
      const low = Math.min(...values), span = Math.max(...values) - low || 1;
      return values.map((value) => margin + ((value - low) / span) * (size - 2 * margin));
    };
    const across = fit(axis(0)), up = fit(axis(1));
    places = across.map((x, index) => [x, size - up[index]]);
    dots.forEach((dot, index) => { dot.setAttribute("cx", places[index][0]); dot.setAttribute("cy", places[index][1]); });
    hide();
  }

  function hide() {
    tip.hidden = true;
    ring.style.display = "none";
  }

  function show(index) {
    const one = samples[index], [x, y] = places[index];
    picture.src = one.source;
    words.textContent = titles.has(one.label) ? `${titles.get(one.label)} · ${one.name}` : one.name;
    ring.setAttribute("cx", x);
    ring.setAttribute("cy", y);
    ring.style.display = "";
    tip.hidden = false;
  }

  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * size, y = ((event.clientY - box.top) / box.height) * size;
    let best = -1, least = near * near;
    places.forEach(([px, py], index) => {
      const apart = (px - x) ** 2 + (py - y) ** 2;
      if (apart < least && (alone === null || samples[index].label === alone)) [best, least] = [index, apart];
    });
    if (best >= 0) show(best);
    else hide();
  });
  svg.addEventListener("pointerleave", hide);

  const choices = views.map((view, index) => make("button", { type: "button", onclick: () => choose(index) }, view.name));
  function choose(index) {
    choices.forEach((button, place) => button.setAttribute("aria-pressed", String(place === index)));
    arrange(views[index]);
  }

  const keys = classes.map(([label, name, colour]) => {
    const swatch = make("span", { class: "swatch" });
    swatch.style.borderColor = colour;
    const key = make("button", { type: "button", class: "link", "aria-pressed": "false", onclick: () => {
      alone = alone === label ? null : label;
      keys.forEach((other) => other.setAttribute("aria-pressed", String(alone !== null && other === key)));
      dots.forEach((dot, index) => { dot.style.opacity = alone === null || samples[index].label === alone ? 1 : 0.08; });
      hide();
    } }, swatch, name);
    return key;
  });
  main.append(make("div", { class: "tools" }, choices),
    make("div", { class: "map" }, svg, make("div", {}, make("ul", { class: "legend" }, keys.map((key) => make("li", {}, key))), tip)),
    DATA.notes.map((note) => make("p", { class: "note" }, note)));
  choose(0);
}
