"use strict";
/* Tables of the page: sorting by column, a filter for long ones, a download as CSV of the rows that are shown, and how
   values are written (as in cells.py). */
const metricStore = (() => {
  const rawOf = (cell) => cell.dataset.v ?? cell.textContent.trim();
  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const x = Number(a), y = Number(b);
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en", { numeric: true }) : x - y;
  };
  /* What a spreadsheet would take for a formula gets an apostrophe, as in the command line's CSV; numbers stay. */
  const csvCell = (text) => {
    const value = String(text ?? "");
    if (value !== "" && !Number.isNaN(Number(value))) return value;
    const safe = /^[=+\-@\t\r\n＝＋－＠']/.test(value) ? "'" + value : value;
    return '"' + safe.replaceAll('"', '""') + '"';
  };
  const save = (name, text, type) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const saveCsv = (name, rows) =>
    save(name, "\ufeff" + rows.map((row) => row.map(csvCell).join(",")).join("\r\n") + "\r\n", "text/csv");
  const element = (tag, properties = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties))
      if (name === "class") made.className = value;
      else if (name === "style") made.style.cssText = value;
      else if (name in made && !name.startsWith("aria-")) made[name] = value;
      else made.setAttribute(name, value);
    made.append(...children);
    return made;
  };

  const isNothing = (value) => value === null || value === undefined || value === "";
  const text = (value) => (isNothing(value) ? "–" : String(value));
  const count = (value) => (isNothing(value) ? "–" : Number(value).toLocaleString("en-US"));
  const signed = (value) => {
    if (isNothing(value)) return "–";
    return (Number(value) > 0 ? "+" : Number(value) < 0 ? "−" : "±") + String(value).replace(/^-/, "");
  };
  /* Of percent: one decimal; two where few are left to 0 or to 100, so that neither is said of what is not quite. */
  const share = (value) => {
    if (isNothing(value)) return "–";
    const number = Number(value), size = Math.abs(number);
    if (number === 0 || number === 100) return String(number);
    return number.toFixed(size < 1 || (size > 99 && size < 100) ? 2 : 1).replace("-", "−");
  };

  const sortable = (table) => {
    const body = table.tBodies[0];
    for (const head of table.tHead.rows[0].cells) {
      const button = element("button", { type: "button" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const isNumber = head.classList.contains("number"), was = head.getAttribute("aria-sort");
        const down = was ? was === "ascending" : isNumber;
        for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const keyed = [...body.rows].map((row) => [rawOf(row.cells[head.cellIndex]), row]);
        keyed.sort(([a], [b]) => (a === "" || b === "" ? compare(a, b) : (down ? -1 : 1) * compare(a, b)));
        body.append(...keyed.map(([, row]) => row));
      });
    }
  };
  const withTools = (table) => {
    const title = table.closest(".figure")?.querySelector("h3");
    const tools = element("span", { class: "tools" });
    if (table.tBodies[0].rows.length > 12) {
      const label = `Filter ${title?.textContent ?? "rows"}`;
      const filter = element("input", { type: "search", placeholder: "filter rows", "aria-label": label });
      filter.addEventListener("input", () => {
        const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
        for (const row of table.tBodies[0].rows) {
          const text = row.textContent.toLowerCase();
          row.hidden = !words.every((word) => text.includes(word));
        }
      });
      tools.append(filter);
    }
    const label = `Download ${title?.textContent ?? "the table"} as CSV`;
    const csv = element("button", { type: "button", "aria-label": label }, "CSV");
    csv.addEventListener("click", () => {
      const columns = [...table.tHead.rows[0].cells].map((cell) => cell.dataset.column);
      const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
      saveCsv(`${document.title.replace(/[^\w-]+/g, "_")}_${table.dataset.name}.csv`,
        [columns, ...rows.map((row) => [...row.cells].map(rawOf))]);
    });
    tools.append(csv);
    const head = table.closest(".figure")?.querySelector(".table-head");
    if (head) head.append(tools);
    else table.closest(".scroll").before(tools);
  };
  for (const table of document.querySelectorAll("table.data[data-name]")) {
    sortable(table);
    withTools(table);
  }
  /* The exact value of a figure that is rounded for reading. */
  addEventListener("mouseover", (event) => {
    const cell = event.target.closest?.("td.number[data-v]");
    if (cell && !cell.title) cell.title = cell.dataset.v;
  });
  /* A link to something folded away opens it. */
  const open = () => {
    let at = null;
    try { at = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return; }
    for (let fold = at?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    at?.scrollIntoView();
  };
  addEventListener("hashchange", open);
  if (location.hash) open();
  return { compare, save, saveCsv, element, written: { text, count, signed, share } };
})();
