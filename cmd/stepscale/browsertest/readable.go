package browsertest

// readable finds what keeps somebody from reading a page, after the rules of axe-core that
// apply to pages without forms: html-has-lang, document-title, page-has-heading-one,
// heading-order, svg-img-alt, image-alt, button-name, scope, duplicate-id,
// scrollable-region-focusable, color-contrast (WCAG 1.4.3), and that a narrow window is
// scrolled in one direction only (WCAG 1.4.10).
const readable = `(() => {
  const found = [], say = (rule, e) => found.push(rule + ": " + (e ? e.outerHTML.slice(0, 100) : ""));
  const all = (q) => Array.from(document.querySelectorAll(q));
  if (!document.documentElement.lang) say("html-has-lang");
  if (!document.title.trim()) say("document-title");
  if (all("h1").length !== 1) say("page-has-heading-one: " + all("h1").length);
  let last = 0;
  for (const h of all("h1,h2,h3,h4,h5,h6")) {
    const n = Number(h.tagName[1]);
    if (n > last + 1) say("heading-order", h);
    if (!h.textContent.trim()) say("empty-heading", h);
    last = n;
  }
  for (const s of all("svg")) if (s.getAttribute("aria-hidden") !== "true" && !(s.getAttribute("role") === "img" && (s.getAttribute("aria-label") || "").trim())) say("svg-img-alt", s);
  for (const i of all("img")) if (!i.hasAttribute("alt")) say("image-alt", i);
  for (const b of all("button, summary, a[href]")) if (!(b.textContent.trim() || b.getAttribute("aria-label"))) say("button-name", b);
  for (const h of all("th")) if (!h.getAttribute("scope")) say("scope", h);
  const ids = {};
  for (const e of all("[id]")) { if (ids[e.id]) say("duplicate-id", e); ids[e.id] = true; }
  for (const e of all("*")) {
    const o = getComputedStyle(e).overflowX;
    if ((o === "auto" || o === "scroll") && e.scrollWidth > e.clientWidth && e.tabIndex < 0) say("scrollable-region-focusable", e);
  }
  if (document.documentElement.scrollWidth > window.innerWidth) say("reflow: " + document.documentElement.scrollWidth + " > " + window.innerWidth);
  const rgb = (c) => { const m = c.match(/[\d.]+/g).map(Number); return m.length > 3 ? m : m.concat(1); };
  const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const e = n.parentElement;
    if (!n.textContent.trim() || e.closest("script,style") || !e.getClientRects().length) continue;
    const s = getComputedStyle(e), a = light(rgb(e.namespaceURI.endsWith("svg") ? s.fill : s.color)), b = light(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(s.fontSize);
    if (ratio < (size >= 24 || size >= 18.66 && Number(s.fontWeight) >= 700 ? 3 : 4.5)) say("color-contrast " + ratio.toFixed(2), e);
  }
  return found;
})()`

// Unreadable is what keeps somebody from reading the page as it is now.
func (p *Page) Unreadable() []string {
	p.t.Helper()
	return Eval[[]string](p, readable)
}
