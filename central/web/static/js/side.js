// The premises and their health, those out of contact first, and the input central rejected.

import { arrange, byId, element, name, prune, setData, setHidden, setShape, setText, shape, spare } from "./dom.js";
import { needsLook, PathsView } from "./paths.js";
import * as words from "./words.js";

const SINCE = { "no-contact": "since", fault: "since", stopped: "since", ok: "in contact since", "never-seen": "", revoked: "since" };

export class Side {
  #views = new Map();
  #filter = "";
  #wanted = [];
  #isDetailed = false;

  draw(model, nowMs) {
    const nodes = model.premises();
    const seen = new Set(nodes.map((node) => node.node));
    for (const id of this.#views.keys()) if (!seen.has(id)) this.#views.delete(id);
    for (const node of nodes) {
      if (!this.#views.has(node.node)) this.#views.set(node.node, new NodeView());
      const view = this.#views.get(node.node);
      spare(() => view.update(node, nowMs, model.isBrokerLinked), () => view.fail(node));
    }
    const list = byId("premises");
    this.#wanted = nodes.map((node) => this.#views.get(node.node).item);
    arrange(list, this.#wanted);
    prune(list, this.#wanted);
    const bad = nodes.filter((node) => ["no-contact", "fault", "stopped"].includes(node.state) || needsLook(node)).length;
    const attention = `${bad} of ${nodes.length} need${bad === 1 ? "s" : ""} attention`;
    setText(byId("premises-count"), bad ? attention : String(nodes.length));
    setText(byId("to-premises"), bad ? `Premises: ${attention}` : `Premises: ${nodes.length}, all well`);
    this.find(this.#filter);
    this.#drawRejected(model.rejected, nowMs);
  }

  // Hides premises that do not match. Alerts are never hidden by a search.
  find(text) {
    this.#filter = text;
    this.#drawDetails();
    const wanted = text.trim().toLocaleLowerCase();
    let shown = 0;
    for (const view of this.#views.values()) {
      const matches = !wanted || view.searched.includes(wanted);
      setHidden(view.item, !matches);
      if (matches) shown += 1;
    }
    setText(byId("search-word"), wanted ? `${shown} of ${this.#views.size} premises. Alerts are not filtered.` : "");
  }

  // A search, or "All details", shows everything.
  #drawDetails() {
    setData(byId("premises"), "details", String(this.#isDetailed || Boolean(this.#filter.trim())));
  }

  showDetails() {
    this.#isDetailed = !this.#isDetailed;
    byId("details").setAttribute("aria-pressed", String(this.#isDetailed));
    this.#drawDetails();
  }

  #drawRejected(lines, nowMs) {
    const total = lines.reduce((sum, line) => sum + line.count, 0);
    setText(byId("rejected-count"), String(total));
    const signature = JSON.stringify(lines);
    const body = byId("rejected");
    if (body.dataset.signature === signature) return;
    body.dataset.signature = signature;
    body.replaceChildren(...lines.map((line) =>
      element("tr", "",
        element("td", "", name(line.reason)), element("td", "", name(line.sender || "unknown")),
        element("td", "num", String(line.count)), element("td", "num", words.clockAndDay(Date.parse(line.last_at), nowMs)))));
  }
}

class NodeView {
  constructor() {
    this.shape = shape("state-ok");
    this.premises = name("");
    this.place = name("", "node-place");
    this.state = element("div", "node-state");
    this.brief = element("div", "node-brief");
    this.more = element("div", "node-more");
    this.faults = element("ul", "node-faults");
    this.gateway = element("span", "node-kind", "central’s radio");
    this.paths = new PathsView();
    this.item = element(
      "li", "node", this.shape, element("div", "node-name", this.premises, " ", this.place, " ", this.gateway), this.state, this.brief,
      this.more, this.faults, ...this.paths.parts,
    );
    this.searched = "";
  }

  fail(node) {
    setText(this.premises, String(node.premises));
    setText(this.state, "central has a fault and cannot show this line");
  }

  update(node, nowMs, isLinked) {
    setData(this.item, "state", node.state);
    setShape(this.shape, `state-${node.state}`);
    setText(this.premises, node.premises);
    setText(this.place, node.place);
    setText(this.state, words.healthWord(node.state));
    const isWell = node.state === "ok" && !needsLook(node) && !node.faults.length;
    setData(this.item, "well", String(isWell));
    setText(this.brief, isWell ? words.briefPaths(node.radio, isLinked) : "");
    setHidden(this.gateway, !node.is_gateway);
    setData(this.item, "warning", String(needsLook(node)));
    this.paths.update(node, nowMs, isLinked);
    const when = (text) => words.minuteAndDay(Date.parse(text), nowMs);
    const facts = [];
    if (node.since && SINCE[node.state]) facts.push(`${SINCE[node.state]} ${when(node.since)}`);
    if (node.last_seen_at && node.state !== "ok" && node.state !== "fault") facts.push(`last seen ${when(node.last_seen_at)}`);
    if (node.outbox_depth) facts.push(`${node.outbox_depth} waiting to be sent`);
    if (node.restarts) facts.push(`restarted ${node.restarts}× in an hour`);
    if (node.rejected) facts.push(`rejected ${node.rejected}`);
    const version = node.facts?.image || node.version;
    if (version) facts.push(`v${version}`);
    setText(this.more, facts.join(" · "));
    const signature = JSON.stringify(node.faults);
    if (this.faults.dataset.signature !== signature) {
      this.faults.dataset.signature = signature;
      this.faults.replaceChildren(...node.faults.map((fault) => element("li", "", name(fault))));
    }
    this.searched = `${node.premises} ${node.place} ${node.node} ${words.healthWord(node.state)} ${this.paths.radio.box.textContent}${node.is_gateway ? " gateway" : ""}`.toLocaleLowerCase();
  }
}
