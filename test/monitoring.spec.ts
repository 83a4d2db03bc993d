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
