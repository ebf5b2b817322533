"use strict";
/* The page of one seller: what stands behind its figures. metricStoreSeller(setup) gives what draws it. */
const metricStoreSeller = (setup) => {
  const { compare, save, saveCsv, element, written } = metricStore;
  const { text, count, signed, share } = written;
  const metrics = new Map(setup.metrics.map((metric) => [metric.id, metric]));
  const nameOf = (id) => metrics.get(id)?.name ?? id;
  const described = (id) => {
    const { formula = "", description = "" } = metrics.get(id) ?? {};
    return element("span", { title: `${formula}. ${description}` }, nameOf(id));
  };
  const note = (...said) => element("p", { class: "note" }, ...said);
  const title = (...said) => element("h3", {}, ...said);

  /* A cell that is rounded for reading, with its exact value. */
  const rate = (value) => ({ exact: value ?? "", shown: share(value) });
  const cellOf = (cell, isNumber) => {
    const made = element("td", isNumber ? { class: "number" } : {});
    if (cell?.shown !== undefined) made.dataset.v = cell.exact;
    made.append(cell instanceof Node ? cell : cell?.shown ?? text(cell));
    return made;
  };
  /* heads: [label, is it of numbers] */
  const tableOf = (label, heads, rows) => {
    const headOf = ([head, isNumber]) => element("th", { scope: "col", class: isNumber ? "number" : "" }, head);
    const rowOf = (cells) => element("tr", {}, ...cells.map((cell, place) => cellOf(cell, heads[place][1])));
    const table = element("table", { class: "data" },
      element("thead", {}, element("tr", {}, ...heads.map(headOf))),
      element("tbody", {}, ...rows.map(rowOf)));
    return element("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": label }, table);
  };

  const orderColumns = ["order_id", "unit_id", "happened_at", "due_at", "detail"];
  const ORDERS = 200;
  const fileName = (...words) => words.join("_").replace(/[^\w-]+/g, "_");
  const ordersOf = (seller, id, rows) => {
    if (!setup.hasOrders) return "";
    if (!rows) return "none";
    const label = `Download the orders against ${nameOf(id)} as CSV`;
    const button = element("button", { type: "button", "aria-label": label }, `${count(rows.length)} as CSV`);
    button.addEventListener("click", () => saveCsv(`${fileName(seller, id, setup.week)}.csv`, [orderColumns, ...rows]));
    return button;
  };

  /* The ranges of values that meet a target, in words. */
  const targets = setup.targets ?? {};
  const rangeInWords = ([lower, upper, included]) => {
    if (upper === 100 && included) return `at least ${lower} %`;
    if (lower === 0) return `${included ? "at most" : "below"} ${upper} %`;
    return `${lower} to ${included ? "" : "below "}${upper} %`;
  };
  const target = (id) => (targets[id] ?? []).map(rangeInWords).join(" or ");
  const isIn = (value) => ([lower, upper, included]) =>
    value >= lower && (value < upper || (included && value <= upper));
  const verdict = (met, yes, no) => element("b", { class: met ? "better" : "worse" }, met ? yes : no);
  const against = (id, value) => {
    const met = value === null || !targets[id] ? null : targets[id].some(isIn(Number(value)));
    return element("span", {}, target(id) || "–", met === null ? "" : verdict(met, " met", " missed"));
  };
  const goal = (id) => ({ high: "high is good", low: "low is good" })[metrics.get(id)?.direction];
  const aim = (id) => target(id) || [setup.targets && "no target", goal(id)].filter(Boolean).join("; ");

  const causes = {
    both: "cancellations and lateness", on_time_rate: "lateness", cancellation_rate: "cancellations",
  };
  const limitOf = (row, limit) => {
    if (!row[9]) return [];
    const [line, reason] = limit ?? [`Limited to ${count(row[10])} orders a day, since ${row[11]}`, null];
    const because = reason ? ` Because of ${causes[reason] ?? reason}.` : "";
    return [element("p", { class: "notice" }, `${line}.${because}`)];
  };
  /* What would end a limit or a low grade, in the words of `metric-store recovery`. */
  const recoveryOf = (standing) => standing ? [
    title("What would end it"),
    element("dl", { class: "recovery" }, ...standing.flatMap(([id, lines]) => [
      element("dt", {}, described(id)), element("dd", {}, ...lines.map((line) => element("div", {}, line))),
    ])),
  ] : [];

  /* The grade, built up step by step; the table below it has the numbers. */
  const stepsOf = (row, grade) => {
    const label = "The grade, built up from the contributions of its metrics; the table below has the numbers";
    const steps = element("div", { class: "waterfall", role: "img", "aria-label": label });
    const full = Math.max(...grade.map((m) => Number(m[6] ?? 0)), Number(row[5] ?? 0)) || 1;
    const add = (name, from, part, said, kind = "step") => {
      const bar = element("i", { style: `--from:${(100 * from) / full}%;--share:${(100 * part) / full}%` });
      steps.append(element("span", {}, name), element("span", { class: kind }, bar), element("b", {}, said));
    };
    let from = 0;
    for (const [id, , , , score, weight, contribution] of grade) {
      const part = Number(contribution ?? 0);
      add(nameOf(id), from, part, contribution === null ? "–" : `${score} × ${weight} % = ${contribution}`);
      from += part;
    }
    add("Grade", 0, Number(row[5] ?? 0), text(row[5]), "step total");
    return steps;
  };
  const gradeOf = (row, grade, evidence) => {
    if (!grade) return [];
    const heads = [["Metric"], ["Counted", true], ["Of", true], ["%", true], ["Score", true], ["Weight, %", true],
      ["Contribution", true], ["Best score for"], ["Orders against it"]];
    const change = row[7] === null ? "" : ` (${signed(row[7])})`;
    return [
      title(`Grade ${text(row[5])}`, row[6] ? `, ${row[6]}` : "", change),
      row[8] ? note("Partial: a metric had no orders to judge, and the other weights are scaled to 100.") : "",
      stepsOf(row, grade),
      tableOf("Metrics of the grade", heads, grade.map(([id, n, d, value, score, weight, contribution]) => [
        described(id), count(n), count(d), rate(value), score, weight, contribution, against(id, value),
        ordersOf(row[0], id, evidence[id]),
      ])),
    ];
  };
  const ratingOf = (row, kpis, evidence) => kpis ? [
    title("Rating"),
    tableOf("KPIs of the rating",
      [["KPI"], ["Value", true], ["Counted", true], ["Of", true], ["Target"], ["From"], ["To"], ["Orders against it"]],
      kpis.map(([id, n, d, , display, start, end]) => [
        described(id), display, count(n), count(d), aim(id), start?.slice(0, 16), end?.slice(0, 16),
        ordersOf(row[0], id, evidence[id]),
      ])),
  ] : [];
  const operationsOf = (row, operations, evidence) => {
    if (!operations) return [];
    const [due, cancelled, late, cancellation, onTime, most, assessable, met] = operations;
    const isJudged = assessable && met !== null;
    const line = (id, value, misses) =>
      [described(id), rate(value), target(id), count(misses), ordersOf(row[0], id, evidence[id])];
    return [
      title("Order volume limit"),
      element("p", {}, `${count(due)} orders due in the week; at most ${count(most)} received in a day. `,
        isJudged ? verdict(met, "Both targets met.", "A target was missed.")
          : element("b", {}, "Too few orders, or too new, to be assessed.")),
      tableOf("Targets of the order volume limit",
        [["KPI"], ["%", true], ["Target"], ["Against it", true], ["Orders against it"]],
        [line("ovl_cancellation_rate", cancellation, cancelled), line("ovl_on_time_rate", onTime, late)]),
    ];
  };
  /* What the marketplace or an OMS broke: the figures stay as they are published, the adjusted ones stand beside. */
  const incidentsOf = (incidents) => incidents ? [
    title("Excused by incidents"),
    note("The published figure stays. Adjusted: without the orders that an incident of the marketplace or of the OMS ",
      "excuses."),
    tableOf("Figures as published and adjusted",
      [["Metric"], ["Published, %", true], ["Adjusted, %", true], ["Excused", true], ["Counted", true], ["Of", true],
        ["Counted, adjusted", true], ["Of, adjusted", true], ["Incidents"]],
      incidents.map(([id, value, adjusted, excused, n, d, adjustedN, adjustedD, ids]) => [
        described(id), rate(value), rate(adjusted), count(excused), count(n), count(d), count(adjustedN),
        count(adjustedD), ids.replaceAll(",", ", "),
      ])),
  ] : [];

  const foldOf = (seller, id, rows) => {
    const summary = element("summary", {}, `${nameOf(id)}: ${count(rows.length)}`);
    const fold = element("details", { class: "orders" }, summary);
    fold.fill = () => {
      if (fold.children.length > 1) return;
      const heads = orderColumns.map((name) => [name]);
      fold.append(ordersOf(seller, id, rows), tableOf(`Orders against ${nameOf(id)}`, heads, rows.slice(0, ORDERS)));
      if (rows.length > ORDERS) fold.append(note(`${count(rows.length - ORDERS)} more are in the CSV.`));
    };
    fold.addEventListener("toggle", fold.fill);
    return fold;
  };
  const evidenceOf = (row, evidence) => {
    const command = `metric-store evidence METRIC --seller ${row[0]} --week ${setup.week} --csv`;
    if (!setup.hasOrders) {
      return [note("The orders behind a figure are too many for this page, or are no longer kept. For one metric: ",
        element("code", {}, command))];
    }
    const ids = Object.keys(evidence).sort((a, b) => compare(nameOf(a), nameOf(b)));
    if (!ids.length) return [title("Orders"), note("No order counts against this seller.")];
    return [title("Orders"), ...ids.map((id) => foldOf(row[0], id, evidence[id]))];
  };

  /* The page as a file of its own, without a script, and without any other seller. */
  const download = (row, page) => {
    for (const fold of page.querySelectorAll("details")) fold.fill?.();
    const copy = page.cloneNode(true);
    for (const button of copy.querySelectorAll("button")) {
      if (/ as CSV$/.test(button.textContent)) button.replaceWith(button.textContent.replace(/ as CSV$/, ""));
      else button.remove();
    }
    const name = element("title", {}, `${row[1] ?? row[0]}, week of ${setup.week}`);
    const policy = "default-src 'none'; style-src 'unsafe-inline'";
    const style = document.querySelector("style").textContent;
    save(`${fileName(row[0], setup.week)}.html`, [
      '<!doctype html><html lang="en"><head><meta charset="utf-8">',
      '<meta name="viewport" content="width=device-width, initial-scale=1">',
      `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
      `${name.outerHTML}<style>${style}</style></head><body><main>${copy.innerHTML}</main></body></html>`,
    ].join(""), "text/html");
  };

  return (page, row, found) => {
    const evidence = found.evidence ?? {};
    const head = element("h2", { id: "seller-title", tabIndex: -1 }, row[1] ?? row[0]);
    const close = element("button", { type: "button" }, "Back to all sellers");
    const keep = element("button", { type: "button" }, "Download this page");
    close.addEventListener("click", () => { location.hash = ""; });
    keep.addEventListener("click", () => download(row, page));
    const about = [row[0], row[2], row[3], row[4]].filter(Boolean).join(" · ");
    const noTargets = "This store was published by an earlier release, which had no targets (marts.fct_target_week).";
    page.replaceChildren(
      head,
      note(`${about} · week of ${setup.week}, calculated ${setup.calculated}`),
      element("p", { class: "tools" }, close, keep),
      ...limitOf(row, found.limit),
      ...recoveryOf(found.recovery),
      ...gradeOf(row, found.grade, evidence),
      ...(setup.targets ? [] : [note(noTargets)]),
      ...ratingOf(row, found.kpis, evidence),
      ...operationsOf(row, found.operations, evidence),
      ...incidentsOf(found.incidents),
      ...evidenceOf(row, evidence),
    );
    page.hidden = false;
    head.focus();
    scrollTo(0, 0);
  };
};
