// Curves as SVG, with a cursor that tells their values.

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
