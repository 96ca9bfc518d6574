export { type Card, type CardSection, renderCard } from './card.ts';
export { type Bar, type BarChartOptions, barChart } from './charts/bar-chart.ts';
export { type HeatmapOptions, heatmap } from './charts/heatmap.ts';
export { type HistogramBucket, type HistogramOptions, histogram } from './charts/histogram.ts';
export { type LineChartOptions, type LineSeries, lineChart, type Point } from './charts/line-chart.ts';
export { type ScatterPlotOptions, scatterPlot } from './charts/scatter-plot.ts';
export {
  badge,
  code,
  columns,
  facts,
  note,
  paragraph,
  subheading,
  type TableColumn,
  type TableOptions,
  type Tile,
  type Tone,
  table,
  tiles,
} from './components.ts';
export { clip, formatNumber, formatPercent, shortDigest } from './format.ts';
export { escapeHtml, type HtmlValue, html, SafeHtml } from './html.ts';
