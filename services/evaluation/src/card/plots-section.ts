import {
  type CardSection,
  columns,
  formatNumber,
  heatmap,
  histogram,
  lineChart,
  note,
  type Point,
  type SafeHtml,
  scatterPlot,
  table,
} from '@millrace/cards';
import { liftCurve, wilsonInterval } from '@millrace/metrics';
import type { CurvePoint, Plots } from '../domain/measurement.ts';
import type { Evaluation } from './evaluation.ts';
import { intervalText } from './text.ts';

const unit = [0, 1] as const;
/** Classes that a confusion matrix can show readably. */
const mostClasses = 20;

/** Where the model errs: residuals of a regression, confusion and curves of a classification. */
export const plotsSection = ({ measurement: { plots } }: Evaluation): CardSection =>
  plots.kind === 'regression'
    ? { title: 'Residuals', content: regressionPlots(plots) }
    : { title: 'Classification', content: classificationPlots(plots) };

const regressionPlots = ({
  points,
  residuals,
}: Extract<Plots, { kind: 'regression' }>): readonly SafeHtml[] => [
  columns([
    scatterPlot({ title: 'Predicted against actual', points, x: 'actual', y: 'predicted', diagonal: true }),
    scatterPlot({
      title: 'Residuals against predictions',
      points: points.map(([actual, predicted]) => [predicted, actual - predicted]),
      x: 'predicted',
      y: 'actual − predicted',
      level: 0,
    }),
    histogram({
      title: 'Distribution of the residuals',
      buckets: residuals.histogram,
      x: 'actual − predicted',
      y: 'rows',
    }),
    table({
      caption: 'Residuals (actual − predicted)',
      columns: [{ title: 'Quantile' }, { title: 'Value', numeric: true }],
      rows: [
        ...residuals.quantiles.map(({ share, value }) => [quantileName(share), formatNumber(value, 5)]),
        ['mean', formatNumber(residuals.mean, 5)],
        ['standard deviation', formatNumber(residuals.standardDeviation, 5)],
      ],
    }),
  ]),
];

const quantileName = (share: number): string => {
  if (share === 0) return 'minimum';
  if (share === 1) return 'maximum';
  return share === 0.5 ? 'median' : `${formatNumber(share * 100, 3)} %`;
};

const classificationPlots = (plots: Extract<Plots, { kind: 'classification' }>): readonly SafeHtml[] => {
  const { confusion, curves, calibration } = plots;
  const charts = [
    ...(confusion.classes.length > mostClasses ? [] : [confusionMatrix(plots)]),
    ...(curves.length === 0 ? [] : rankingCharts(curves)),
    ...(calibration.length === 0 ? [] : [calibrationChart(plots)]),
  ];
  return [
    columns(charts),
    table({
      columns: [
        { title: 'Class' },
        { title: 'Rows', numeric: true },
        { title: 'Predicted', numeric: true },
        { title: 'Precision', numeric: true },
        { title: 'Recall', numeric: true },
        { title: '95 % interval', numeric: true },
        { title: 'F1', numeric: true },
      ],
      rows: confusion.perClass.map(({ support, predicted, precision, recall, f1 }, index) => [
        confusion.classes[index],
        ...[support, predicted, precision, recall].map((value) => formatNumber(value, 4)),
        support === 0 ? '–' : intervalText(wilsonInterval(confusion.counts[index]?.[index] ?? 0, support)),
        formatNumber(f1, 4),
      ]),
    }),
    ...(curves.length > 0 ? [] : [note('The model gives no probabilities, so there are no curves.')]),
  ];
};

const confusionMatrix = ({ confusion }: Extract<Plots, { kind: 'classification' }>): SafeHtml =>
  heatmap({
    title: 'Confusion matrix',
    rows: confusion.classes,
    columns: confusion.classes,
    values: confusion.counts,
    x: 'predicted',
    y: 'actual',
  });

type Curves = Extract<Plots, { kind: 'classification' }>['curves'];

const rankingCharts = (curves: Curves): readonly SafeHtml[] => {
  const series = (point: (point: CurvePoint) => Point) =>
    curves.map(({ label, points }) => ({ name: label, points: points.map(point) }));
  const frame = { xDomain: unit, yDomain: unit };
  return [
    lineChart({
      title: 'ROC curve',
      series: series(({ falsePositiveRate, truePositiveRate }) => [falsePositiveRate, truePositiveRate]),
      x: 'false positive rate',
      y: 'true positive rate',
      reference: [
        [0, 0],
        [1, 1],
      ],
      ...frame,
    }),
    lineChart({
      title: 'Precision-recall curve',
      series: series(({ truePositiveRate, precision }) => [truePositiveRate, precision]),
      x: 'recall',
      y: 'precision',
      ...frame,
    }),
    lineChart({
      title: 'Lift',
      series: curves.map(({ label, points }) => ({
        name: label,
        points: liftCurve(points).map(({ share, lift }): Point => [share, lift]),
      })),
      x: 'share of rows, highest scores first',
      y: 'lift',
      xDomain: unit,
      reference: [
        [0, 1],
        [1, 1],
      ],
    }),
  ];
};

const calibrationChart = ({ calibration }: Extract<Plots, { kind: 'classification' }>): SafeHtml =>
  lineChart({
    title: 'Calibration',
    series: [
      { name: 'observed', points: calibration.map(({ confidence, observed }) => [confidence, observed]) },
    ],
    x: 'mean predicted probability',
    y: 'observed frequency',
    xDomain: unit,
    yDomain: unit,
    reference: [
      [0, 0],
      [1, 1],
    ],
    dots: true,
  });
