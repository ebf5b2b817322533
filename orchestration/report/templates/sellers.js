"use strict";
/* The sellers' page: a table of all, a hundred at a time, and the way to the page of one. */
(() => {
  const { compare, saveCsv, element, written } = metricStore;
  const { text, count, signed, share } = written;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const at = (id) => document.getElementById(id);
  const setup = read("setup"), all = read("rows");
  const metrics = new Map(setup.metrics.map((metric) => [metric.id, metric]));

  /* id, label, value of a row, how a number is written */
  const columns = [
    ["seller_id", "Seller", (row) => row[0]],
    ["seller_name", "Name", (row) => row[1]],
    ["final_grade", "Grade", (row) => row[5], text],
    ["tier", "Tier", (row) => row[6]],
    ["change", "Change", (row) => row[7], signed],
    ["daily_order_limit", "Orders a day", (row) => (row[9] ? row[10] : null), count],
    ...setup.kpis.map((kpi, place) =>
      [kpi, metrics.get(kpi)?.short ?? kpi, (row) => row[12]?.[place] ?? null, share]),
    ["brand_name", "Brand", (row) => row[2]],
    ["mall_segment", "Segment", (row) => row[3]],
    ["oms_client", "OMS client", (row) => row[4]],
  ];
  const FILE = 13, PAGE = 100;
  let shown = all, page = 0, sorted = null;

  const cellOf = (row, [id, label, value, asNumber]) => {
    const cell = element("td", { class: asNumber ? "number" : "" });
    const found = value(row);
    cell.dataset.v = found ?? "";
    cell.dataset.label = label;
    if (id === "seller_id") cell.append(element("a", { href: "#seller=" + encodeURIComponent(found) }, found));
    else cell.append((asNumber ?? text)(found));
    return cell;
  };
  const inOrder = (rows) => {
    if (!sorted) return [...rows];
    const [value, down] = sorted;
    return [...rows].sort((a, b) => {
      const x = String(value(a) ?? ""), y = String(value(b) ?? "");
      return x === "" || y === "" ? compare(x, y) : (down ? -1 : 1) * compare(x, y);
    });
  };
  const draw = () => {
    shown = inOrder(shown);
    const pages = Math.max(1, Math.ceil(shown.length / PAGE));
    const rows = shown.slice(page * PAGE, (page + 1) * PAGE);
    at("table").tBodies[0].replaceChildren(
      ...rows.map((row) => element("tr", {}, ...columns.map((column) => cellOf(row, column)))));
    const isPart = shown.length < all.length;
    at("found").textContent = isPart ? `${count(shown.length)} of ${count(all.length)} sellers` : "";
    at("page").textContent = `${page + 1} of ${pages}`;
    at("back").disabled = page === 0;
    at("on").disabled = page + 1 >= pages;
  };
  const filter = () => {
    const words = at("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const is = (id, value) => at(id).value === "" || at(id).value === value;
    shown = all.filter((row) => {
      const hay = `${row[0]} ${row[1] ?? ""} ${row[2] ?? ""}`.toLowerCase();
      return words.every((word) => hay.includes(word)) && is("segment", row[3]) && is("client", row[4])
        && is("tier", row[6]) && is("limit", row[9] ? "limited" : "not limited");
    });
    page = 0;
    draw();
  };
  const options = (id, label, values) => {
    const found = [...new Set(values)].filter((value) => value !== null).sort();
    const option = (value, said) => element("option", { value }, said);
    at(id).append(option("", label), ...found.map((value) => option(value, value)));
    at(id).addEventListener("change", filter);
  };
  for (const [id, label, value, asNumber] of columns) {
    const title = metrics.get(id)?.formula ?? "";
    const head = element("th", { scope: "col", class: asNumber ? "number" : "", title });
    head.dataset.column = id;
    const button = element("button", { type: "button" }, label);
    button.addEventListener("click", () => {
      const was = head.getAttribute("aria-sort"), down = was ? was === "ascending" : Boolean(asNumber);
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
  at("csv").addEventListener("click", () => {
    const rows = shown.map((row) => columns.map(([, , value]) => value(row)));
    saveCsv(`sellers_${setup.week}.csv`, [columns.map(([id]) => id), ...rows]);
  });

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
  const drawSeller = metricStoreSeller(setup);
  const notice = (said) => {
    at("seller").replaceChildren(element("p", { class: "notice" }, said));
    at("seller").hidden = false;
  };
  const wanted = () => {
    try {
      return location.hash.startsWith("#seller=") ? decodeURIComponent(location.hash.slice(8)) : null;
    } catch {
      return null;
    }
  };
  const showList = (isShown) => {
    for (const part of document.querySelectorAll(".of-all")) part.hidden = !isShown;
  };
  const route = async () => {
    const id = wanted(), row = all.find((other) => other[0] === id);
    if (!row) {
      at("seller").hidden = true;
      showList(true);
      if (id !== null) notice(`There is no seller ${id} in this week.`);
      return;
    }
    try {
      await load(row);
    } catch {
      notice("The seller's details lie beside this page, in the folder sellers/, and can't be read: "
        + "keep the folder of the week together.");
      return;
    }
    if (wanted() !== id) return;
    showList(false);
    drawSeller(at("seller"), row, details.get(id) ?? {});
  };
  addEventListener("hashchange", route);
  draw();
  route();
})();
