/** The card's whole appearance: inline, light or dark as the reader's system asks, usable on paper. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #f5f6f8; --surface: #ffffff; --raised: #f9fafb; --ink: #18202b; --muted: #5b6675; --line: #e2e6ec;
  --accent: #2b6be0; --second: #d0661b; --third: #178a72; --fourth: #8a4fc9; --fifth: #b8336a; --sixth: #7a7215;
  --good: #157347; --good-ground: #e3f4ea; --bad: #b42318; --bad-ground: #fde8e6;
  --warn: #8a5a00; --warn-ground: #fdf1d6; --plain-ground: #eceff3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1319; --surface: #171c24; --raised: #1c222c; --ink: #e5e9ef; --muted: #98a3b3; --line: #2a323d;
    --accent: #6fa3ff; --second: #f2a65e; --third: #4fc7a9; --fourth: #bb92ee; --fifth: #f07fa8; --sixth: #c9c05a;
    --good: #58c98d; --good-ground: #12301f; --bad: #ff8a80; --bad-ground: #3a1917;
    --warn: #e6b450; --warn-ground: #33270d; --plain-ground: #252c37;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
main, header > div, nav > div { max-width: 1080px; margin: 0 auto; padding: 0 24px; }
header { background: var(--surface); padding: 28px 0 18px; }
header h1 { margin: 0; font-size: 25px; line-height: 1.25; letter-spacing: -.01em; overflow-wrap: anywhere; }
header .title { display: flex; gap: 14px; align-items: center; flex-wrap: wrap; }
header p { margin: 6px 0 0; color: var(--muted); overflow-wrap: anywhere; }
nav { background: var(--surface); border-bottom: 1px solid var(--line); position: sticky; top: 0; z-index: 1; }
nav > div { display: flex; gap: 0 20px; flex-wrap: wrap; }
nav a { color: var(--muted); text-decoration: none; padding: 7px 0; white-space: nowrap; font-size: 14px; }
nav a:hover, nav a:focus-visible { color: var(--accent); }
main { padding-top: 22px; padding-bottom: 40px; }
section { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: 20px 22px 22px;
  margin-bottom: 18px; scroll-margin-top: 54px; }
section > h2 { margin: 0 0 12px; font-size: 17px; letter-spacing: -.005em; }
h3 { font-size: 14px; margin: 0 0 8px; }
p { margin: 0 0 12px; max-width: 78ch; overflow-wrap: anywhere; }
section > *:last-child { margin-bottom: 0; }
.note { color: var(--muted); font-size: 14px; }
.badge { display: inline-block; border-radius: 999px; padding: 1px 11px; font-size: 13px; font-weight: 600;
  white-space: nowrap; background: var(--plain-ground); color: var(--muted); }
.badge.good { background: var(--good-ground); color: var(--good); }
.badge.bad { background: var(--bad-ground); color: var(--bad); }
.badge.warn { background: var(--warn-ground); color: var(--warn); }
.scroll { overflow-x: auto; margin-bottom: 14px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
caption { text-align: left; color: var(--muted); padding-bottom: 6px; }
th { text-align: left; font-weight: 600; font-size: 13px; color: var(--muted); }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; unicode-bidi: isolate; }
tr:last-child td { border-bottom: 0; }
th:last-child, td:last-child { padding-right: 0; }
td { overflow-wrap: break-word; max-width: 44ch; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.unbroken { white-space: nowrap; }
tr.strong td { font-weight: 600; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 5px 20px; margin: 0 0 14px; font-size: 14px; }
dl.facts dt { color: var(--muted); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; unicode-bidi: isolate; }
code { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
td code { overflow-wrap: break-word; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 12px; margin-bottom: 16px; }
.tile { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: 11px 14px; }
.tile .label { color: var(--muted); font-size: 13px; overflow-wrap: anywhere; }
.tile .value { font-size: 23px; font-weight: 650; letter-spacing: -.01em; font-variant-numeric: tabular-nums; }
.tile .detail { color: var(--muted); font-size: 13px; font-variant-numeric: tabular-nums; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 20px 28px;
  margin-bottom: 14px; }
.columns > * { min-width: 0; }
figure { margin: 0; }
figcaption { font-size: 14px; font-weight: 600; margin-bottom: 4px; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; font: 11px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
svg text { fill: var(--muted); }
svg text.strong { fill: var(--ink); }
svg text.inverse { fill: var(--surface); }
svg text.halo { paint-order: stroke; stroke: var(--surface); stroke-width: 3px; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .axis { stroke: var(--muted); stroke-opacity: .55; stroke-width: 1; }
svg .reference { stroke: var(--muted); stroke-dasharray: 4 4; stroke-width: 1; fill: none; }
svg .whisker { stroke: var(--ink); stroke-width: 1.3; stroke-opacity: .75; }
svg .series-0 { --tone: var(--accent); } svg .series-1 { --tone: var(--second); } svg .series-2 { --tone: var(--third); }
svg .series-3 { --tone: var(--fourth); } svg .series-4 { --tone: var(--fifth); } svg .series-5 { --tone: var(--sixth); }
svg .line { stroke: var(--tone); stroke-width: 2; fill: none; stroke-linejoin: round; }
svg .dot, svg .bar { fill: var(--tone); }
svg .cloud { fill: var(--tone); fill-opacity: .45; }
svg .bar.good { fill: var(--good); } svg .bar.bad { fill: var(--bad); } svg .bar.plain { fill: var(--muted); }
svg .cell { stroke: var(--surface); stroke-width: 2; fill: var(--accent); }
svg .cell-ground { fill: var(--raised); }
.legend { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 16px; font-size: 13px; color: var(--muted); margin-top: 4px; }
.legend > i { margin: 0; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 6px; background: var(--tone); }
.legend .series-0 { --tone: var(--accent); } .legend .series-1 { --tone: var(--second); }
.legend .series-2 { --tone: var(--third); } .legend .series-3 { --tone: var(--fourth); }
.legend .series-4 { --tone: var(--fifth); } .legend .series-5 { --tone: var(--sixth); }
h4 { font-size: 13px; margin: 0 0 6px; color: var(--muted); }
ul { margin: 0 0 14px; padding-left: 20px; font-size: 14px; } li { margin-bottom: 3px; overflow-wrap: anywhere; }
pre { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; margin: 0 0 14px;
  background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; overflow-x: auto;
  white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
details { margin-bottom: 14px; } details > *:last-child { margin-bottom: 0; }
summary { cursor: pointer; font-size: 14px; font-weight: 600; margin-bottom: 8px; color: var(--accent); }
.profiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 470px), 1fr)); gap: 14px; margin-bottom: 14px; }
.profile { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; min-width: 0;
  break-inside: avoid; }
.profile h3 { display: flex; gap: 9px; align-items: baseline; justify-content: space-between; overflow-wrap: anywhere; }
.profile h3 .badge { flex: none; font-size: 12px; padding: 0 9px; }
.profile h3 > span:first-child { min-width: 0; unicode-bidi: isolate; }
.profile .scroll { margin: 6px 0 0; } .profile table { font-size: 13px; } .profile th, .profile td { padding: 3px 12px 3px 0; }
.profile figcaption { display: none; }
.halves { display: grid; grid-template-columns: minmax(0, 11fr) minmax(0, 10fr); gap: 18px; }
.ends { display: flex; justify-content: space-between; gap: 10px; color: var(--muted); font-size: 12px;
  font-variant-numeric: tabular-nums; margin-top: 3px; }
dl.figures { display: grid; grid-template-columns: max-content 1fr; gap: 1px 12px; margin: 0; font-size: 13px; }
dl.figures dt { color: var(--muted); }
dl.figures dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
svg.meter { height: 4px; border-radius: 2px; margin-top: 2px; }
svg .meter-ground { fill: var(--line); } svg .meter-plain { fill: var(--accent); } svg .meter-warn { fill: var(--second); }
ol.shares { list-style: none; margin: 0; padding: 0; font-size: 13px; }
ol.shares li { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 4fr) 4.6em; gap: 8px; align-items: center; }
ol.shares li > span:first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; unicode-bidi: isolate; }
ol.shares .number { text-align: right; white-space: nowrap; color: var(--muted); font-variant-numeric: tabular-nums; }
svg .outline { stroke: var(--tone); stroke-width: 1.6; fill: var(--tone); fill-opacity: .1; stroke-linejoin: round; }
svg .axis.strong { stroke-opacity: 1; stroke-width: 1.4; }
svg .trial { fill: none; stroke: var(--accent); stroke-width: 1.4; stroke-linejoin: round; }
svg .trial.rank-0 { stroke-opacity: .14; } svg .trial.rank-1 { stroke-opacity: .24; } svg .trial.rank-2 { stroke-opacity: .38; }
svg .trial.rank-3 { stroke-opacity: .58; } svg .trial.rank-4 { stroke-opacity: .85; }
svg .trial.best { stroke: var(--second); stroke-width: 3; }
.swarm-0 { --tone: #3b6fe0; } .swarm-1 { --tone: #7a68d8; } .swarm-2 { --tone: #a85fbf; } .swarm-3 { --tone: #cf5590; }
.swarm-4 { --tone: #e5484d; }
svg .swarm-0, svg .swarm-1, svg .swarm-2, svg .swarm-3, svg .swarm-4 { fill: var(--tone); fill-opacity: .8; }
.key { white-space: nowrap; }
.key i { display: inline-block; width: 9px; height: 9px; border-radius: 3px; margin-right: 6px; background: var(--tone); }
.key.series-0 { --tone: var(--accent); } .key.series-1 { --tone: var(--second); } .key.series-2 { --tone: var(--third); }
.key.series-3 { --tone: var(--fourth); } .key.series-4 { --tone: var(--fifth); } .key.series-5 { --tone: var(--sixth); }
footer { color: var(--muted); font-size: 13px; text-align: center; padding-bottom: 28px; }
@media (max-width: 640px) { nav { position: static; } main, header > div, nav > div { padding-left: 14px; padding-right: 14px; }
  section { padding: 16px 14px 18px; } .halves { grid-template-columns: minmax(0, 1fr); } }
@media print { nav { display: none; } section { break-inside: avoid; } body { background: #fff; } }
`.trim();
