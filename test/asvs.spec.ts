import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const textOf = (path: string) => readFileSync(join(root, path), 'utf8');

/** The requirements of levels 1 and 2 in ASVS 5.0.0, by section. */
const asked = `1.1:1–2 1.2:1–9 1.3:1–11 1.4:1–3 1.5:1–2 2.1:1–3 2.2:1–3 2.3:1–4 2.4:1 3.2:1–2 3.3:1–4 3.4:1–6 3.5:1–5 3.7:1–2
  4.1:1–3 4.2:1 4.3:1–2 4.4:1–4 5.1:1 5.2:1–3 5.3:1–2 5.4:1–3 6.1:1–3 6.2:1–12 6.3:1–4 6.4:1–4 6.5:1–5 6.6:1–3 6.8:1–4 7.1:1–3
  7.2:1–4 7.3:1–2 7.4:1–5 7.5:1–2 7.6:1–2 8.1:1–2 8.2:1–3 8.3:1 8.4:1 9.1:1–3 9.2:1–4 10.1:1–2 10.2:1–2 10.3:1–4 10.4:1–11 10.5:1–5
  10.6:1–2 10.7:1–3 11.1:1–2 11.2:1–3 11.3:1–3 11.4:1–4 11.5:1 11.6:1 12.1:1–3 12.2:1–2 12.3:1–4 13.1:1 13.2:1–5 13.3:1–2 13.4:1–5
  14.1:1–2 14.2:1–4 14.3:1–3 15.1:1–3 15.2:1–3 15.3:1–7 16.1:1 16.2:1–5 16.3:1–4 16.4:1–3 16.5:1–3 17.1:1 17.2:1–4 17.3:1–2`;

/** @param range like `1.2.3–5` or `1.2.3` */
function each(range: string): string[] {
  const [, section, first, last = first] = /^(\d+\.\d+)\.(\d+)(?:–(\d+))?$/.exec(range) ?? [range];
  const count = Number(last) - Number(first) + 1;
  return Array.from({ length: count }, (_, index) => `${section}.${Number(first) + index}`);
}

const rows = [...textOf('docs/asvs.md').matchAll(/^\| (\d[^|]*) \| [^|]+ \| ([^|]+) \|(.*)\|$/gm)].map(
  ([, requirements = '', verdict = '', evidence = '']) => ({ requirements, verdict, evidence }),
);

test('docs/asvs.md has each requirement of levels 1 and 2 once, with a verdict', () => {
  const all = asked.split(/\s+/).flatMap((section) => each(section.replace(':', '.')));
  expect(all).toHaveLength(253);
  expect(rows.flatMap(({ requirements }) => requirements.split(', ').flatMap(each)).sort()).toEqual(all.sort());
  expect(new Set(rows.map(({ verdict }) => verdict))).toEqual(new Set(['holds', 'does not hold', 'does not apply']));
});

test('what holds in docs/asvs.md names a test or a document', () => {
  expect(rows.filter(({ verdict, evidence }) => verdict === 'holds' && !evidence.includes(']('))).toEqual([]);
});

/** Without what stands in code. A part of a page is looked for among its titles. */
const linksIn = (page: string) =>
  [
    ...textOf(page)
      .replace(/```[\s\S]*?```|`[^`\n]*`/g, '')
      .matchAll(/\]\((?!https?:|mailto:)([^)\s]*)\)/g),
  ].map(([, link = '']) => link);

function leadsSomewhere(page: string, link: string): boolean {
  const [file = '', title] = link.split('#');
  const path = file === '' ? page : join(dirname(page), decodeURI(file));
  if (!existsSync(join(root, path))) return false;
  const titles = [...(title === undefined ? '' : textOf(path)).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => text);
  const anchors = titles.map((text) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return title === undefined || anchors.includes(title);
}

test.each(['README.md', 'SECURITY.md', ...globSync('docs/**/*.md', { cwd: root })])(
  'every link in %s leads somewhere',
  (page) => {
    expect(linksIn(page).filter((link) => !leadsSomewhere(page, link))).toEqual([]);
  },
);

test('the files that SECURITY.md names are there', () => {
  const named = [...textOf('SECURITY.md').matchAll(/`((?:libs|apps|test|docs)\/[\w./-]+)`/g)].map(
    ([, path = '']) => path,
  );
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  expect(named.length).toBeGreaterThan(2);
});

test('no program evaluates text as code, and none starts another program', () => {
  const files = globSync('{apps,libs}/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.spec.ts'));
  const forbidden = /\beval\(|new Function\(|node:vm|child_process/;
  expect(files.length).toBeGreaterThan(300);
  expect(files.filter((file) => forbidden.test(textOf(file)))).toEqual([]);
});
