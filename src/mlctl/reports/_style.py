"""The style sheet and the one small script of a page."""

from __future__ import annotations

from mlctl.reports.svg import FONT, PALETTE, PALETTE_DARK


def _variables(palette: tuple[str, ...]) -> str:
    return "".join(f"--c{index}:{value};" for index, value in enumerate(palette, 1))


LIGHT = (
    "--ink:#1f2937;--muted:#667080;--grid:#e5e7eb;--paper:#fff;--back:#fafafa;--head:#f4f5f7;"
    "--good:#00724f;--bad:#b3440a;--unsure:#7a5c00;--on-strong:#fff;" + _variables(PALETTE)
)
DARK = (
    "--ink:#e5e7eb;--muted:#9aa4b2;--grid:#343b46;--paper:#1b1f26;--back:#14171c;--head:#232831;"
    "--good:#4cc9a0;--bad:#ff9a66;--unsure:#e2c35a;--on-strong:#0b1220;" + _variables(PALETTE_DARK)
)

CSS = f"""
:root{{color-scheme:light dark;{LIGHT}}}
@media (prefers-color-scheme:dark){{:root{{{DARK}}}}}
*{{box-sizing:border-box}}
body{{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 {FONT}}}
main{{max-width:1080px;margin:0 auto;padding:32px 24px 64px}}
h1{{font-size:26px;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}}
h2{{font-size:18px;margin:0 0 12px}}
h3{{font-size:14px;margin:0 0 8px;overflow-wrap:anywhere}}
p{{margin:0 0 10px}}
.subtitle,.note,figcaption{{color:var(--muted)}}
section{{background:var(--paper);border:1px solid var(--grid);border-radius:8px;
padding:20px;margin:20px 0 0}}
.scroll{{overflow-x:auto}}
table{{border-collapse:collapse;min-width:min(100%,460px);font-size:14px}}
th,td{{text-align:left;padding:6px 10px;border-bottom:1px solid var(--grid);vertical-align:middle}}
th{{font-weight:600;color:var(--muted);white-space:nowrap;background:var(--head)}}
tr:last-child td{{border-bottom:0}}
td.n,th.n{{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}}
th[data-sort]{{cursor:pointer}}th[aria-sort=ascending]::after{{content:" ▲"}}
th[aria-sort=descending]::after{{content:" ▼"}}
td{{overflow-wrap:break-word;max-width:360px}}td svg{{max-width:none}}
code{{font:13px/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}}
pre{{background:var(--head);border-radius:6px;padding:10px 12px;overflow-x:auto;margin:0;
white-space:pre-wrap}}
.badge{{display:inline-block;border:1px solid currentColor;border-radius:999px;
padding:0 9px;font-size:13px;font-weight:600;color:var(--muted);white-space:nowrap}}
.good{{color:var(--good)}}.bad{{color:var(--bad)}}.unsure{{color:var(--unsure)}}
.cards{{display:flex;flex-wrap:wrap;gap:12px 36px;margin:0 0 12px}}
section>:last-child{{margin-bottom:0}}
.cards div{{min-width:72px}}.cards dt{{color:var(--muted);font-size:13px}}
.cards dd{{margin:0;font-size:19px;font-weight:600;font-variant-numeric:tabular-nums;
overflow-wrap:anywhere}}
.grid{{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));gap:24px}}
figure{{margin:0;min-width:0}}figcaption{{font-size:13px;margin-top:4px}}
svg{{display:block;max-width:100%;height:auto}}img{{max-width:100%;height:auto}}
nav{{margin:14px 0 0;font-size:14px}}nav a{{color:var(--c1);margin-right:16px}}
footer{{color:var(--muted);font-size:13px;margin-top:24px}}
.small{{font-size:12.5px;color:var(--muted);white-space:nowrap}}
.key i{{display:inline-block;width:12px;height:8px;border-radius:2px;margin:0 5px 0 0}}
.key span{{margin-right:14px}}
@media print{{:root{{{LIGHT}}}body{{background:#fff}}main{{max-width:none;padding:0}}
nav{{display:none}}
section{{border:0;padding:12px 0;break-inside:auto}}tr,figure,.cards{{break-inside:avoid}}
h2{{break-after:avoid}}}}
""".strip()

# Sorts a table by the clicked head; without it the page only loses that.
SCRIPT = """
document.querySelectorAll("th[data-sort]").forEach(function(h){
h.tabIndex=0;
function go(){
var b=h.closest("table").tBodies[0],i=h.cellIndex,up=h.getAttribute("aria-sort")!=="ascending";
function key(r){var c=r.cells[i];return c.dataset.value||c.textContent.trim()}
var rows=[].slice.call(b.rows).sort(function(p,q){
var x=key(p),y=key(q),m=x!==""&&y!==""?x-y:NaN;return (isNaN(m)?x.localeCompare(y):m)*(up?1:-1)});
h.parentNode.querySelectorAll("th").forEach(function(o){o.removeAttribute("aria-sort")});
h.setAttribute("aria-sort",up?"ascending":"descending");
rows.forEach(function(r){b.appendChild(r)})}
h.addEventListener("click",go);
h.addEventListener("keydown",function(e){
if(e.key==="Enter"||e.key===" "){e.preventDefault();go()}})});
""".strip().replace("\n", "")
