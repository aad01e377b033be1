"use strict";
// Draws the curves, switches defenses and paper, copies commands. Loads nothing.
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const charts = [...document.querySelectorAll(".chart")];
  const status = document.getElementById("status");
  const darkPaper = matchMedia("(prefers-color-scheme: dark)");
  const say = (text) => { status.textContent = text; };

  // Paper: light or dark, as the system says until somebody chooses.
  const isDark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : darkPaper.matches;
  };
  const transparent = (hex) => `${hex}29`;

  function look(chart) {
    const style = getComputedStyle(chart);
    const axis = { gridcolor: style.borderTopColor, linecolor: style.borderTopColor, spikecolor: style.color };
    return {
      paper_bgcolor: "rgba(0, 0, 0, 0)", plot_bgcolor: "rgba(0, 0, 0, 0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: style.color },
      hoverlabel: { bgcolor: style.backgroundColor, bordercolor: style.borderTopColor, font: { color: style.color } },
      axis,
    };
  }

  function painted(figure, chart, dark) {
    const { axis, ...rest } = look(chart);
    const data = figure.data.map((trace) => {
      const color = dark ? trace.meta.dark : trace.meta.light;
      return {
        ...trace,
        visible: hidden(chart).has(trace.meta.defense) ? false : true,
        line: { ...trace.line, color },
        ...(trace.marker && { marker: { ...trace.marker, color } }),
        ...(trace.fill && { fillcolor: transparent(color) }),
      };
    });
    const { xaxis, yaxis, ...layout } = figure.layout;
    return { data, layout: { ...layout, ...rest, xaxis: { ...xaxis, ...axis }, yaxis: { ...yaxis, ...axis } } };
  }

  function draw(dark = isDark()) {
    for (const chart of charts) {
      const { data, layout } = painted(figures[chart.dataset.figure], chart, dark);
      Plotly.react(chart, data, layout, { displayModeBar: false, responsive: true, scrollZoom: false });
    }
  }

  // Which defenses a section does not show.
  const hiddenIn = new Map();
  function hidden(chart) {
    const section = chart.closest("section");
    if (!hiddenIn.has(section)) hiddenIn.set(section, new Set());
    return hiddenIn.get(section);
  }
  for (const button of document.querySelectorAll(".legend button")) {
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(shown));
      hidden(button)[shown ? "delete" : "add"](button.dataset.defense);
      draw();
    });
  }

  // Arrow keys go from ε to ε, as the mouse does, and say what is there.
  function readOut(chart, step) {
    const curves = chart.data.filter((trace) => trace.visible !== false && trace.mode === "lines+markers");
    const grid = [...new Set(curves.flatMap((trace) => trace.x))].sort((a, b) => a - b);
    if (!grid.length) return;
    const last = Number(chart.dataset.at ?? (step > 0 ? -1 : grid.length));
    const at = Math.min(Math.max(last + step, 0), grid.length - 1);
    chart.dataset.at = at;
    const points = curves.map((trace) => ({ trace, pointNumber: trace.x.indexOf(grid[at]) }))
      .filter(({ pointNumber }) => pointNumber >= 0);
    Plotly.Fx.hover(chart, { xval: grid[at], yval: 50 });
    const values = points.map(({ trace, pointNumber }) => `${plain(trace.name)} ${trace.y[pointNumber].toFixed(1)} %`);
    const heading = chart.layout.xaxis.unifiedhovertitle.text.replace("%{x}", Number(grid[at].toPrecision(6)));
    say(`${heading}: ${values.join(", ")}`);
  }
  function plain(name) {
    return new DOMParser().parseFromString(name, "text/html").body.textContent;
  }
  for (const chart of charts) {
    chart.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      readOut(chart, step);
    });
    chart.addEventListener("blur", () => { delete chart.dataset.at; Plotly.Fx.unhover(chart); });
  }

  // The choice of paper outlives the visit where the browser lets a file remember.
  function remembered(value) {
    try {
      if (value !== undefined) localStorage.setItem("robbench-paper", value);
      return localStorage.getItem("robbench-paper");
    } catch { return null; }
  }
  function choose(theme) {
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    draw();
  }
  for (const input of document.querySelectorAll(".themes input")) {
    input.checked = input.value === (remembered() || "auto");
    input.addEventListener("change", () => { remembered(input.value); choose(input.value); });
  }
  darkPaper.addEventListener("change", () => draw());
  addEventListener("beforeprint", () => draw(false));
  addEventListener("afterprint", () => draw());

  // Copying, also where the browser gives a file no clipboard.
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  }
  for (const button of document.querySelectorAll(".copy")) {
    button.addEventListener("click", async () => {
      const done = await copy(button.closest(".copyable").querySelector("pre").textContent);
      button.focus();
      button.textContent = done ? "Copied" : "Press Ctrl+C";
      say(done ? "Copied" : "The browser does not allow copying.");
      if (!done) getSelection().selectAllChildren(button.closest(".copyable").querySelector("pre"));
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }

  choose(remembered() || "auto");
})();
