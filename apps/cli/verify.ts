import { checkLaws, type Law, laws, type Verdict } from '#audit/laws/laws';
import { newestVersionOf } from '#domain/codec';
import { counted, nounOf, thousands } from '#domain/kernel/counted';
import { hashOfEvent } from '#event-store/event-hash';
import { lookedAt, MissingKeys } from '#vault/missing-keys';
import { foreignEventsOf, openForReading, type StoreLocation } from '#wiring/stores';
import { linesAbout } from './foreign-events.ts';
import { printJson, printLines } from './print.ts';
import { Progress } from './progress.ts';

/** Reads the whole log and counts the events that break a law. @returns the exit code: 0 when every law holds, else 1 */
export async function verify(location: StoreLocation, { json = false }: { json?: boolean }): Promise<number> {
  const stores = await openForReading(location);
  try {
    const start = performance.now();
    const progress = new Progress((events) => `${counted(events, 'event')} read`);
    const onProgress = (events: number) => progress.update(events);
    const missing = new MissingKeys(stores.vault);
    const events = lookedAt(stores.events, (event) => missing.look(event));
    const verdict = await checkLaws(events, { hashOf: hashOfEvent, newestVersionOf, onProgress });
    progress.end();
    const seconds = Number(((performance.now() - start) / 1000).toFixed(2));
    const keysMissing = await missing.count();
    const keysDamaged = await missing.damaged();
    const foreign = await foreignEventsOf(location);
    if (json) printJson({ ...verdict, keysMissing, keysDamaged: keysDamaged.length, foreign, seconds });
    else
      print(
        verdict,
        [...linesAboutKeys(keysMissing), ...linesAboutDamage(keysDamaged), ...linesAbout(foreign)],
        seconds,
      );
    return brokenIn(verdict).length === 0 ? 0 : 1;
  } finally {
    await stores.close();
  }
}

export const brokenIn = ({ laws }: Pick<Verdict, 'laws'>): Law[] =>
  (Object.keys(laws) as Law[]).filter((law) => laws[law] > 0);

function print(verdict: Verdict, remarks: readonly string[], seconds: number): void {
  for (const law of Object.keys(laws) as Law[]) {
    const count = verdict.laws[law];
    printLines(`${count === 0 ? 'holds ' : 'BROKEN'} ${String(count).padStart(6)}  ${laws[law]}`);
    for (const example of verdict.examples[law] ?? []) printLines(`${' '.repeat(15)}${example}`);
  }
  const { judged, passedOver } = verdict.decisions;
  const { events, head } = verdict;
  printLines(
    '',
    `${counted(events, 'event')} read in ${seconds} s, up to ${head || 'the beginning'}`,
    `${counted(judged, 'decision')} repeated, ${thousands(passedOver)} passed over because the log does not contain enough to repeat them`,
  );
  const broken = brokenIn(verdict);
  printLines(
    ...remarks,
    broken.length === 0 ? 'all laws hold' : `${counted(broken.length, 'law is', 'laws are')} broken`,
  );
}

const linesAboutKeys = (missing: number): readonly string[] =>
  missing === 0
    ? []
    : [
        `${counted(missing, 'key is', 'keys are')} missing: personal data sealed with ${nounOf(missing, 'it', 'them')} cannot be read until ${nounOf(missing, 'it is', 'they are')} restored from a backup`,
      ];

const linesAboutDamage = ([first, ...others]: readonly string[]): readonly string[] => {
  if (first === undefined) return [];
  const count = 1 + others.length;
  return [
    `${counted(count, 'key is', 'keys are')} damaged: personal data sealed with ${nounOf(count, 'it', 'them')} cannot be read until ${nounOf(count, 'it is', 'they are')} restored from a backup; the first one is ${first}`,
  ];
};
