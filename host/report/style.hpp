#pragma once

namespace lockstep::report {

/// The page's looks: light, dark or on paper as the reader's machine asks, wide or narrow. Blue and
/// orange stay apart for every kind of colour vision, and no meaning hangs on colour alone.
inline constexpr const char* kStyle = R"css(
:root{color-scheme:light dark;--paper:#fbfbf9;--card:#fff;--ink:#1c2126;--quiet:#5a646d;
--rule:#dcdfe1;--a:#1b62ab;--b:#c2500f;--bad:#a8201a;--badbg:#fdf0ee;--good:#20683f;--goodbg:#eef7f1;
--dots:.45}
@media(prefers-color-scheme:dark){:root{--paper:#14171a;--card:#1b1f23;--ink:#e3e6e8;
--quiet:#9ba5ad;--rule:#30363b;--a:#6fb1f4;--b:#f4945a;--bad:#ff9a8f;--badbg:#2d1c1a;
--good:#86d3a3;--goodbg:#182820;--dots:.55}}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:var(--ink);
background:var(--paper);max-width:78rem;margin:0 auto;padding:1.5rem clamp(1rem,3vw,2.5rem) 4rem}
h1{font-size:1.9rem;line-height:1.2;margin:.5rem 0 .2rem;letter-spacing:-.01em}
h2{font-size:1.3rem;margin:2.8rem 0 .4rem;padding-top:.6rem;border-top:1px solid var(--rule)}
h3{font-size:1.05rem;margin:1.6rem 0 .5rem}
h3 small{font-weight:400;color:var(--quiet);margin-left:.6rem;font-size:.875rem}
p{max-width:46rem;margin:.4rem 0 .8rem}.lede,.note{color:var(--quiet)}.lede{max-width:none}.note{font-size:.9rem}
a{color:var(--a)}nav{font-size:.9rem;margin:.8rem 0;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem}
a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--a);
outline-offset:2px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.7rem;margin:1.2rem 0}
.tile{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:.6rem .8rem}
.tile b{display:block;font-size:1.25rem;line-height:1.3;font-variant-numeric:tabular-nums}
.tile span{font-size:.82rem;color:var(--quiet)}
.tile.bad{border-color:var(--bad)}.tile.bad b{color:var(--bad)}
.failure,.fine{border-left:4px solid var(--bad);background:var(--badbg);border-radius:0 6px 6px 0;
padding:.6rem 1rem;margin:.6rem 0}.failure h3{margin:0;color:var(--bad)}
.failure p{margin:.15rem 0;max-width:58rem}.failure ul{margin:.3rem 0;padding-left:1.2rem}
.fine{border-color:var(--good);background:var(--goodbg)}.fine p{margin:0;max-width:58rem}
.fine strong{color:var(--good)}
.scroll{overflow-x:auto;margin:.6rem 0}
table{border-collapse:collapse;font-size:.82rem;font-variant-numeric:tabular-nums}
th,td{padding:.28rem .48rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule)}
thead th{white-space:normal;vertical-align:bottom;line-height:1.25;font-weight:600;color:var(--quiet);border-bottom:2px solid var(--rule)}
th[scope=row]{text-align:left;font-weight:600;position:sticky;left:0;background:var(--paper)}
thead th:first-child{text-align:left;position:sticky;left:0;background:var(--paper)}
tbody tr:hover td,tbody tr:hover th{background:var(--card)}
td.bad{color:var(--bad);font-weight:600}td.bad::after{content:" !"}
details{margin:.8rem 0}summary{cursor:pointer;color:var(--a);padding:.2rem 0}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,15rem),1fr));gap:.7rem}
figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:8px;
padding:.55rem .6rem .4rem;display:flex;flex-direction:column}
figcaption{font-size:.85rem;font-weight:600}
.legend{font-size:.78rem;color:var(--quiet);margin:.1rem 0 0;line-height:1.5;max-width:none}
.legend span{margin-right:.8rem;white-space:nowrap}
.guide{margin:.8rem 0 0}.guide div{font-size:.875rem}.guide p{font-size:.875rem;margin:.1rem 0;max-width:none}
.none{color:var(--quiet);font-size:.875rem}figure .none{margin:auto;padding:1.5rem 0}
svg{display:block;width:100%;height:auto}
svg text{font:11px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--quiet)}
svg text.label{fill:var(--ink)}
.grid{stroke:var(--rule);fill:none}.frame{stroke:var(--quiet);fill:none}
.a{--c:var(--a)}.b{--c:var(--b)}.quiet{--c:var(--quiet)}
.line{fill:none;stroke:var(--c);stroke-width:1.8;stroke-linejoin:round}
.line.thin{stroke-width:.9;opacity:.85}
.band{fill:var(--c);opacity:.2}
.dots{fill:none;stroke:var(--c);stroke-width:5;stroke-linecap:round}
.dots.small{stroke-width:2.4;opacity:var(--dots)}
.cross{fill:none;stroke:var(--c);stroke-width:1.1;opacity:.85}
.rule{fill:none;stroke:var(--c);stroke-width:1;stroke-dasharray:4 3}
.rule.b{stroke-width:1.6}
.plane{fill:var(--quiet);opacity:.07}
.low1,.low2,.low3{fill:var(--a);--c:var(--a)}.high1,.high2,.high3{fill:var(--b);--c:var(--b)}
.low1,.high1{opacity:.3}.low2,.high2{opacity:.6}
i.key{display:inline-block;width:1.1rem;height:.6rem;margin-right:.35rem;vertical-align:baseline;
opacity:1}
i.key.line{height:0;border-top:2.5px solid var(--c);vertical-align:.28em}
i.key.line.thin{border-top-width:1.2px}
i.key.rule{height:0;border-top:2px dashed var(--c);vertical-align:.28em}
i.key.band{background:var(--c);opacity:.35}i.key.heat{background:var(--c)}
i.key.dots{width:.5rem;height:.5rem;border-radius:50%;background:var(--c)}
i.key.cross{width:auto;height:auto}i.key.cross::before{content:"\2715";color:var(--c);
font-style:normal;font-size:.75rem}
.pairs{display:grid;grid-template-columns:repeat(var(--n),minmax(12rem,20rem));gap:.4rem;
align-items:start;overflow-x:auto}
pre{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:.7rem 1rem;
overflow-x:auto;font:.875rem/1.5 ui-monospace,"SF Mono",Menlo,Consolas,monospace;
white-space:pre-wrap;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.4rem;font-size:.9rem}
dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
@media(max-width:34rem){dl{grid-template-columns:1fr}dd{margin-bottom:.4rem}}
@media print{:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--quiet:#444;--rule:#ccc;
--a:#1b62ab;--b:#c2500f;--bad:#a8201a;--badbg:#fff;--good:#20683f;--goodbg:#fff;--dots:.45}
body{font-size:10pt;max-width:none;padding:0}nav,details:not([open]){display:none}table{font-size:6.8pt}
th,td{padding:.15rem .25rem}.scroll,.pairs{overflow:visible}h2{margin-top:1.4rem}
.plots{grid-template-columns:repeat(4,1fr);gap:.3rem}.legend,.guide p{font-size:7pt}
.pairs{grid-template-columns:repeat(var(--n),minmax(0,14rem))}
figure,.tile,.failure,.plots,tr{break-inside:avoid}h2,h3{break-after:avoid}
svg text{font-size:13px}}
)css";

}  // namespace lockstep::report
