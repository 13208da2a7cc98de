// Looks that depend on who looks: a desk has room for a list of calls at the side, a phone folds each call away.
const page = document.querySelector("rapi-doc");
page.setAttribute("render-style", matchMedia("(min-width: 768px)").matches ? "focused" : "view");
page.setAttribute("theme", matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

// On a phone, a call's lock stands above its title instead of above the page, and words stay whole.
const looks = new CSSStyleSheet();
looks.replaceSync(`
  .m-endpoint .endpoint-body { position: relative; padding-top: 2.25rem; }
  .summary .title { word-break: normal; overflow-wrap: anywhere; }
`);
customElements.whenDefined("rapi-doc").then(() => page.shadowRoot.adoptedStyleSheets.push(looks));
