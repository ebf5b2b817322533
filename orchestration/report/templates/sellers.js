"use strict";
/* The sellers' page: a table of all, a hundred at a time, and what stands behind the figures of one. */
(() => {
  const { compare, save, saveCsv, element } = metricStore;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const at = (id) => document.getElementById(id);
  const setup = read("setup"), all = read("rows");
  const metrics = new Map(setup.metrics.map(([id, name, direction, formula, description]) => [id, { name, direction, formula, description }]));
  const nameOf = (id) => metrics.get(id)?.name ?? id;
  const text = (value) => (value === null || value === undefined || value === "" ? "–" : String(value));
  const count = (value) => (value === null || value === undefined ? "–" : Number(value).toLocaleString("en-US"));
  const signed = (value) => (value === null ? "–" : (Number(value) > 0 ? "+" : Number(value) < 0 ? "−" : "±") + String(value).replace(/^-/, ""));

  /* id, label, value of a row, is it a number */
  const columns = [
    ["seller_id", "Seller", (row) => row[0]], ["seller_name", "Name", (row) => row[1]],
    ["final_grade", "Grade", (row) => row[5], true], ["tier", "Tier", (row) => row[6]], ["change", "Change", (row) => row[7], true],
    ["daily_order_limit", "Orders a day", (row) => (row[9] ? row[10] : null), true],
    ...setup.kpis.map((kpi, place) => [kpi, nameOf(kpi) + ", %", (row) => row[12]?.[place] ?? null, true]),
    ["brand_name", "Brand", (row) => row[2]], ["mall_segment", "Segment", (row) => row[3]], ["oms_client", "OMS client", (row) => row[4]],
  ];
  const FILE = 13, PAGE = 100;
  let shown = all, page = 0, sorted = null;

  const options = (id, label, values) => {
    at(id).append(element("option", { value: "" }, label), ...[...new Set(values)].filter((v) => v !== null).sort().map((v) => element("option", { value: v }, v)));
    at(id).addEventListener("change", filter);
  };
  const filter = () => {
    const words = at("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const is = (id, value) => at(id).value === "" || at(id).value === value;
    shown = all.filter((row) => {
      const hay = `${row[0]} ${row[1] ?? ""} ${row[2] ?? ""}`.toLowerCase();
      return words.every((word) => hay.includes(word)) && is("segment", row[3]) && is("client", row[4]) && is("tier", row[6]) && is("limit", row[9] ? "limited" : "not limited");
    });
    page = 0;
    draw();
  };
  const draw = () => {
    const rows = [...shown];
    if (sorted) {
      const [value, down] = sorted;
      rows.sort((a, b) => {
        const x = String(value(a) ?? ""), y = String(value(b) ?? "");
        return x === "" || y === "" ? compare(x, y) : (down ? -1 : 1) * compare(x, y);
      });
    }
    shown = rows;
    const pages = Math.max(1, Math.ceil(rows.length / PAGE));
    at("table").tBodies[0].replaceChildren(...rows.slice(page * PAGE, (page + 1) * PAGE).map((row) =>
      element("tr", {}, ...columns.map(([id, , value, isNumber]) => {
        const cell = element("td", isNumber ? { class: "number" } : {});
        const v = value(row);
        cell.dataset.v = v ?? "";
        if (id === "seller_id") cell.append(element("a", { href: "#seller=" + encodeURIComponent(v) }, v));
        else cell.append(id === "change" ? signed(v) : text(v));
        return cell;
      }))));
    at("found").textContent = rows.length === all.length ? "" : `${count(rows.length)} of ${count(all.length)} sellers`;
    at("page").textContent = `${page + 1} of ${pages}`;
    at("back").disabled = page === 0;
    at("on").disabled = page + 1 >= pages;
  };
  for (const [id, label, value, isNumber] of columns) {
    const head = element("th", { scope: "col", class: isNumber ? "number" : "", title: metrics.get(id)?.formula ?? "" });
    head.dataset.column = id;
    const button = element("button", { type: "button" }, label);
    button.addEventListener("click", () => {
      const was = head.getAttribute("aria-sort"), down = was ? was === "ascending" : Boolean(isNumber);
      for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      sorted = [value, down];
      page = 0;
      draw();
    });
    head.append(button);
    at("table").tHead.rows[0].append(head);
  }
  options("segment", "all segments", all.map((row) => row[3]));
  options("client", "all clients", all.map((row) => row[4]));
  options("tier", "all tiers", all.map((row) => row[6]));
  options("limit", "with or without", ["limited", "not limited"]);
  at("find").addEventListener("input", filter);
  at("back").addEventListener("click", () => { page -= 1; draw(); });
  at("on").addEventListener("click", () => { page += 1; draw(); });
  at("csv").addEventListener("click", () => saveCsv(`sellers_${setup.week}.csv`, [columns.map(([id]) => id), ...shown.map((row) => columns.map(([, , value]) => value(row)))]));

  /* One seller. Its details are in a file with some others: loaded when it is asked for. */
  const details = new Map(), waiting = new Map();
  window.metricStoreSellers = (number, sellers) => {
    for (const [id, found] of sellers) details.set(id, found);
    for (const go of waiting.get(number) ?? []) go();
    waiting.delete(number);
  };
  const load = (row) => new Promise((go, fail) => {
    if (details.has(row[0])) return go();
    const number = row[FILE];
    if (waiting.has(number)) return waiting.get(number).push(go);
    waiting.set(number, [go]);
    const script = element("script", { src: `sellers/${number}.js` });
    script.onerror = () => { waiting.delete(number); script.remove(); fail(); };
    document.head.append(script);
  });
  const tableOf = (label, heads, rows) => element("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": label },
    element("table", { class: "data" },
      element("thead", {}, element("tr", {}, ...heads.map(([head, isNumber]) => element("th", { scope: "col", class: isNumber ? "number" : "" }, head)))),
      element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((cell, place) => element("td", heads[place][1] ? { class: "number" } : {}, cell instanceof Node ? cell : text(cell))))))));
  const orderColumns = ["order_id", "unit_id", "happened_at", "due_at", "detail"];
  const ORDERS = 200;
  const ordersOf = (seller, id, rows) => {
    if (!setup.hasOrders) return "";
    if (!rows) return "none";
    const button = element("button", { type: "button", "aria-label": `Download the orders against ${nameOf(id)} as CSV` }, `${count(rows.length)} as CSV`);
    button.addEventListener("click", () => saveCsv(`${seller.replace(/[^\w-]+/g, "_")}_${id}_${setup.week}.csv`, [orderColumns, ...rows]));
    return button;
  };
  const goal = (id) => ({ high: "high is good", low: "low is good" })[metrics.get(id)?.direction] ?? "";
  /* The ranges of values that meet a target, in words. */
  const targets = setup.targets ?? {};
  const target = (id) => (targets[id] ?? []).map(([lower, upper, included]) => upper === 100 && included ? `at least ${lower} %`
    : lower === 0 ? `${included ? "at most" : "below"} ${upper} %` : `${lower} to ${included ? "" : "below "}${upper} %`).join(" or ");
  const meets = (id, value) => (value !== null && targets[id]
    ? targets[id].some(([lower, upper, included]) => value >= lower && (value < upper || (included && value <= upper))) : null);
  const against = (id, value) => {
    const met = meets(id, value);
    return element("span", {}, target(id) || "–", met === null ? "" : element("b", { class: met ? "better" : "worse" }, met ? " met" : " missed"));
  };
  const described = (id) => element("span", { title: `${metrics.get(id)?.formula ?? ""}. ${metrics.get(id)?.description ?? ""}` }, nameOf(id));

  const drawSeller = (row) => {
    const found = details.get(row[0]) ?? {}, evidence = found.evidence ?? {}, parts = [];
    const title = element("h2", { id: "seller-title", tabIndex: -1 }, row[1] ?? row[0]);
    parts.push(title, element("p", { class: "note" }, [row[0], row[2], row[3], row[4]].filter(Boolean).join(" · "), ` · week of ${setup.week}, calculated ${setup.calculated}`));
    const tools = element("p", { class: "tools" });
    const download = element("button", { type: "button" }, "Download this page"), close = element("button", { type: "button" }, "Back to all sellers");
    close.addEventListener("click", () => { location.hash = ""; });
    tools.append(close, download);
    parts.push(tools);
    if (row[9]) parts.push(element("p", { class: "notice" }, `From ${found.limit?.[0]} on: at most ${count(row[10])} orders a day. Limited since ${row[11]}, because of ${{ both: "cancellations and lateness", on_time_rate: "lateness", cancellation_rate: "cancellations" }[found.limit?.[5]] ?? found.limit?.[5]}.`));
    if (found.grade) {
      parts.push(element("h3", {}, `Grade ${text(row[5])}`, row[6] ? `, ${row[6]}` : "", row[7] === null ? "" : ` (${signed(row[7])})`));
      if (row[8]) parts.push(element("p", { class: "note" }, "Partial: a metric had no orders to judge, and the other weights are scaled to 100."));
      const steps = element("div", { class: "waterfall", role: "img", "aria-label": "The grade, built up from the contributions of its metrics; the table below has the numbers" });
      const full = Math.max(...found.grade.map((m) => Number(m[4] ?? 0)), Number(row[5] ?? 0)) || 1;
      let from = 0;
      for (const [id, , , , score, weight, contribution] of found.grade) {
        const part = Number(contribution ?? 0);
        steps.append(element("span", {}, nameOf(id)), element("span", { class: "step" }, element("i", { style: `--from:${(100 * from) / full}%;--share:${(100 * part) / full}%` })),
          element("b", {}, contribution === null ? "–" : `${score} × ${weight} % = ${contribution}`));
        from += part;
      }
      steps.append(element("span", {}, "Grade"), element("span", { class: "step total" }, element("i", { style: `--from:0%;--share:${(100 * Number(row[5] ?? 0)) / full}%` })), element("b", {}, text(row[5])));
      parts.push(steps, tableOf("Metrics of the grade", [["Metric"], ["Counted", true], ["Of", true], ["%", true], ["Score", true], ["Weight, %", true], ["Contribution", true], ["Best score for"], ["Orders against it"]],
        found.grade.map(([id, n, d, value, score, weight, contribution]) => [described(id), count(n), count(d), value, score, weight, contribution, against(id, value === null ? null : Number(value)), ordersOf(row[0], id, evidence[id])])));
    }
    if (!setup.targets) parts.push(element("p", { class: "note" }, "This store was published by an earlier release, which had no targets (marts.fct_target_week)."));
    if (found.kpis) parts.push(element("h3", {}, "Rating"), tableOf("KPIs of the rating", [["KPI"], ["Value", true], ["Counted", true], ["Of", true], ["Target"], ["From"], ["To"], ["Orders against it"]],
      found.kpis.map(([id, n, d, , display, start, end]) => [described(id), display, count(n), count(d), target(id) || [setup.targets && "no target", goal(id)].filter(Boolean).join("; "), start?.slice(0, 16), end?.slice(0, 16), ordersOf(row[0], id, evidence[id])])));
    if (found.operations) {
      const [due, cancelled, late, cancellation, onTime, most, assessable, met] = found.operations;
      parts.push(element("h3", {}, "Order volume limit"), element("p", {}, `${count(due)} orders due in the week; at most ${count(most)} received in a day. `,
        element("b", { class: met === null ? "" : met ? "better" : "worse" }, !assessable || met === null ? "Too few orders, or too new, to be assessed." : met ? "Both targets met." : "A target was missed.")),
        tableOf("Targets of the order volume limit", [["KPI"], ["%", true], ["Target"], ["Against it", true], ["Orders against it"]], [
          [described("ovl_cancellation_rate"), cancellation, target("ovl_cancellation_rate"), count(cancelled), ordersOf(row[0], "ovl_cancellation_rate", evidence.ovl_cancellation_rate)],
          [described("ovl_on_time_rate"), onTime, target("ovl_on_time_rate"), count(late), ordersOf(row[0], "ovl_on_time_rate", evidence.ovl_on_time_rate)]]));
    }
    if (!setup.hasOrders) parts.push(element("p", { class: "note" }, "The orders behind a figure are too many for this page, or are no longer kept. For one metric: ",
      element("code", {}, `metric-store evidence METRIC --seller ${row[0]} --week ${setup.week} --csv`)));
    else {
      parts.push(element("h3", {}, "Orders"));
      for (const id of Object.keys(evidence).sort((a, b) => compare(nameOf(a), nameOf(b)))) {
        const rows = evidence[id];
        const fold = element("details", { class: "orders" }, element("summary", {}, `${nameOf(id)}: ${count(rows.length)}`));
        const fill = () => { if (fold.children.length === 1) fold.append(ordersOf(row[0], id, rows), tableOf(`Orders against ${nameOf(id)}`, orderColumns.map((name) => [name]), rows.slice(0, ORDERS)),
          rows.length > ORDERS ? element("p", { class: "note" }, `${count(rows.length - ORDERS)} more are in the CSV.`) : ""); };
        fold.addEventListener("toggle", fill);
        fold.fill = fill;
        parts.push(fold);
      }
      if (!Object.keys(evidence).length) parts.push(element("p", { class: "note" }, "No order counts against this seller."));
    }
    at("seller").replaceChildren(...parts);
    at("seller").hidden = false;
    at("list").hidden = true;
    title.focus();
    scrollTo(0, 0);
    download.addEventListener("click", () => {
      for (const fold of at("seller").querySelectorAll("details")) fold.fill?.();
      const copy = at("seller").cloneNode(true);
      for (const button of copy.querySelectorAll("button")) {
        if (/ as CSV$/.test(button.textContent)) button.replaceWith(button.textContent.replace(/ as CSV$/, ""));
        else button.remove();
      }
      const name = document.createElement("title");
      name.textContent = `${row[1] ?? row[0]}, week of ${setup.week}`;
      save(`${row[0].replace(/[^\w-]+/g, "_")}_${setup.week}.html`, '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">' +
        `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">${name.outerHTML}<style>${document.querySelector("style").textContent}</style></head><body><main>${copy.innerHTML}</main></body></html>`, "text/html");
    });
  };
  const route = async () => {
    let id = null;
    try { id = location.hash.startsWith("#seller=") ? decodeURIComponent(location.hash.slice(8)) : null; } catch { id = null; }
    if (id === null) {
      at("seller").hidden = true;
      at("list").hidden = false;
      return;
    }
    const row = all.find((other) => other[0] === id);
    if (!row) {
      at("seller").replaceChildren(element("p", { class: "notice" }, `There is no seller ${id} in this week.`));
      at("seller").hidden = false;
      at("list").hidden = false;
      return;
    }
    try { await load(row); drawSeller(row); } catch {
      at("seller").replaceChildren(element("p", { class: "notice" }, "The seller's details lie beside this page, in the folder sellers/, and can't be read: keep the folder of the week together."));
      at("seller").hidden = false;
    }
  };
  addEventListener("hashchange", route);
  draw();
  route();
})();
