import { readFileSync } from 'node:fs';
import { complaintAboutNode } from './node-version.ts';

const text = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

describe('the version of Node.js', () => {
  it('is asked for with the same number by the programs, package.json and README', () => {
    const oldest = JSON.parse(text('package.json')).engines.node.replace('>=', '');
    expect(complaintAboutNode('18.0.0')).toContain(`Node.js ${oldest} or newer`);
    expect(text('README.md')).toContain(`Node.js ${oldest} or newer`);
  });

  it.each(['24.0.0', '24.21.0', '25.1.0', '100.0.0'])('%s is new enough', (version) => {
    expect(complaintAboutNode(version)).toBeUndefined();
  });

  it.each(['4.9.1', '20.20.2', '23.11.1'])('%s is too old, which is said in one line', (version) => {
    expect(complaintAboutNode(version)).toMatch(new RegExp(`^leadger: this is Node.js ${version}, but .*$`));
  });

  it.each(['standalone', 'api', 'worker', 'cli'])('is checked before the program %s loads anything else', (program) => {
    const [first] = text(`apps/${program}/main.ts`).match(/^import .*$/m) ?? [];
    expect(first).toBe("import '#apps/node-version';");
  });
});
