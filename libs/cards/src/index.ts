export { type Card, type CardSection, renderCard } from './card.ts';
export { type Bar, type BarChartOptions, barChart } from './charts/bar-chart.ts';
export { type BeeswarmOptions, beeswarm, type SwarmPoint, type SwarmRow } from './charts/beeswarm.ts';
export {
  type ComparedCounts,
  type ComparisonHistogramOptions,
  comparisonHistogram,
} from './charts/comparison-histogram.ts';
export { type BarGroup, type GroupedBarsOptions, groupedBars } from './charts/grouped-bars.ts';
export { type HeatmapOptions, heatmap } from './charts/heatmap.ts';
export { type HistogramBucket, type HistogramOptions, histogram } from './charts/histogram.ts';
export { type LineChartOptions, type LineSeries, lineChart, type Point } from './charts/line-chart.ts';
export { meter, miniHistogram, type ShareOfRows, shareBars } from './charts/mini-charts.ts';
export {
  type AxisValue,
  type ParallelAxis,
  type ParallelCoordinatesOptions,
  type ParallelLine,
  parallelCoordinates,
} from './charts/parallel-coordinates.ts';
export { type ScatterPlotOptions, scatterPlot } from './charts/scatter-plot.ts';
export {
  badge,
  code,
  collapsed,
  columns,
  facts,
  list,
  note,
  paragraph,
  preformatted,
  subheading,
  type TableColumn,
  type TableOptions,
  type Tile,
  type Tone,
  table,
  tiles,
} from './components.ts';
export { comparedColumns, comparisonSection } from './data/comparison.ts';
export {
  type PredictionRows,
  predictionRows,
  predictionTable,
  type RankedRows,
} from './data/prediction-rows.ts';
export { type ProfileSectionOptions, profileSection } from './data/profile.ts';
export {
  type EnvironmentFacts,
  environmentFacts,
  environmentSection,
  warningsSection,
} from './data/sections.ts';
export {
  type DataCell,
  type DataRows,
  dataTable,
  type MetricTableOptions,
  metricTable,
  schemaTable,
} from './data/tables.ts';
export { clip, formatBytes, formatNumber, formatPercent, formatTime, shortDigest } from './format.ts';
export { escapeHtml, type HtmlValue, html, SafeHtml } from './html.ts';
