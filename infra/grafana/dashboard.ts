/** What a panel shows: expressions of PromQL with the text of their legend. */
export interface Panel {
  readonly title: string;
  readonly queries: readonly { readonly expr: string; readonly legend: string }[];
  /** Of Grafana's units: https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts */
  readonly unit: 'short' | 's' | 'bytes' | 'percentunit' | 'ops' | 'reqps' | 'Bps' | 'dateTimeFromNow';
  readonly type?: 'timeseries' | 'stat';
  readonly description?: string;
}

export interface Dashboard {
  /** File name and address: `millrace-<name>`. */
  readonly name: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

const columns = 3;
const width = 24 / columns;
const height = 8;
const datasource = { type: 'prometheus', uid: '$datasource' } as const;

const panelJson = ({ title, queries, unit, type = 'timeseries', description }: Panel, i: number) => ({
  id: i + 1,
  type,
  title,
  ...(description === undefined ? {} : { description }),
  datasource,
  gridPos: { h: height, w: width, x: (i % columns) * width, y: Math.floor(i / columns) * height },
  fieldConfig: { defaults: { unit, min: unit === 'dateTimeFromNow' ? null : 0 }, overrides: [] },
  options:
    type === 'stat'
      ? { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false } }
      : {
          legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
          tooltip: { mode: 'multi', sort: 'desc' },
        },
  targets: queries.map(({ expr, legend }, at) => ({
    refId: String.fromCharCode('A'.charCodeAt(0) + at),
    datasource,
    expr,
    legendFormat: legend,
    range: true,
  })),
});

/** The dashboard as Grafana 12 reads it from a file. */
export const dashboardJson = ({ name, title, panels }: Dashboard) => ({
  uid: `millrace-${name}`,
  title: `Millrace: ${title}`,
  tags: ['millrace'],
  schemaVersion: 41,
  version: 1,
  editable: true,
  refresh: '30s',
  time: { from: 'now-6h', to: 'now' },
  timezone: 'browser',
  annotations: { list: [] },
  links: [
    { type: 'dashboards', title: 'Millrace', tags: ['millrace'], asDropdown: true, keepTime: true, icon: '' },
  ],
  templating: {
    list: [
      {
        name: 'datasource',
        label: 'Data source',
        type: 'datasource',
        query: 'prometheus',
        current: { text: 'Prometheus', value: 'prometheus' },
      },
    ],
  },
  panels: panels.map(panelJson),
});
