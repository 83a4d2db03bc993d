import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Server, startServer } from './e2e/server.ts';

const file = (name: string) => readFileSync(join(import.meta.dirname, '../docs', name), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}
const alerts: readonly Rule[] = parse(file('monitoring/alerts.yml')).groups.flatMap(
  ({ rules }: { rules: readonly Rule[] }) => rules,
);

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}
const panels: readonly Panel[] = JSON.parse(file('monitoring/dashboard.json')).panels;
const expressions = [
  ...alerts.map(({ expr }) => expr),
  ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
];

let server: Server;
/** The metrics that a program has, with the names that Prometheus makes of histograms. */
let exported: readonly string[];
beforeAll(async () => {
  server = await startServer();
  const { text } = await server.call('GET', '/metrics');
  exported = [...text.matchAll(/^# TYPE (leadger_\w+) (\w+)$/gm)].flatMap(([, name, type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name as string],
  );
});
afterAll(() => server.stop());

test('alerts and dashboard ask only for metrics that there are', () => {
  const asked = new Set(expressions.flatMap((expression) => expression.match(/leadger_\w+/g) ?? []));
  expect([...asked].filter((name) => !exported.includes(name))).toEqual([]);
});

/** The series of a program now: name and labels → value. */
const seriesNow = async () => {
  const { text } = await server.call('GET', '/metrics');
  return new Map(
    [...text.matchAll(/^(leadger_\w+(?:\{.*\})?) ([\d.e+-]+)$/gm)].map(([, one, value]) => [
      one as string,
      Number(value),
    ]),
  );
};

/** Whether a series is one that a selector of Prometheus names. */
function isSelected(series: string, metric: string, matchers = ''): boolean {
  const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(series) ?? [];
  const labelsOf = new Map([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label, value]));
  return (
    name === metric &&
    [...matchers.matchAll(/(\w+)(=~|!=|=)"([^"]*)"/g)].every(([, label, how, wanted = '']) => {
      const value = labelsOf.get(label) ?? '';
      if (how === '=~') return new RegExp(`^(?:${wanted})$`).test(value);
      return (value === wanted) === (how === '=');
    })
  );
}

const counted = alerts.flatMap(({ alert, expr }) =>
  [...expr.matchAll(/(?:increase|rate|delta)\((\w+)(?:\{([^}]*)\})?\[/g)].map(([, metric, matchers]) => ({
    alert,
    metric: metric as string,
    matchers,
  })),
);

test('what an alert counts over time is there from the start: the first count of a new series is no increase', async () => {
  const series = [...(await seriesNow()).keys()];
  const missing = counted.filter(({ metric, matchers }) => !series.some((one) => isSelected(one, metric, matchers)));
  expect(missing).toEqual([]);
  const values = counted
    .filter(({ matchers = '' }) => matchers.includes('|'))
    .flatMap(({ metric, matchers = '' }) =>
      [...matchers.matchAll(/(\w+)=~"([^"]*)"/g)].flatMap(([, label, all = '']) =>
        all.split('|').filter((value) => !series.some((one) => isSelected(one, metric, `${label}="${value}"`))),
      ),
    );
  expect(values).toEqual([]);
});

test('the first file whose rows are rejected raises LeadgerImportsRejected', async () => {
  const before = await seriesNow();
  const file = 'first name,telephone\r\nAda,+1 212 555 0142\r\nEve,none\r\n';
  await server.call('POST', '/api/leads/batches?leadTypeId=exclusive-fresh&source=page', file, {
    'content-type': 'text/csv',
  });
  const after = await seriesNow();
  const increase = (matchers?: string) =>
    [...before]
      .filter(([series]) => isSelected(series, 'leadger_import_rows_total', matchers))
      .reduce((sum, [series, value]) => sum + (after.get(series) ?? 0) - value, 0);
  expect(increase('result="rejected"') / increase()).toBeGreaterThan(0.2);
});

test('the dashboard shows every metric', () => {
  const shown = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join('\n');
  const left = exported.filter((name) => !/_(bucket|count|sum)$/.test(name) && !shown.includes(name));
  expect(left).toEqual([]);
});

test('the page explains each alert, and names each metric', () => {
  const page = file('monitoring.md');
  const headings = [...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  expect(headings.sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  for (const { alert, labels, annotations } of alerts) {
    expect(['page', 'ticket']).toContain(labels.severity);
    expect(annotations.runbook_url).toBe(`docs/monitoring.md#${alert.toLowerCase()}`);
  }
  const short = (name: string) => name.replace(/_(bucket|count|sum)$/, '').replace('leadger_read_model', '');
  expect(exported.filter((name) => !page.includes(short(name)))).toEqual([]);
});
