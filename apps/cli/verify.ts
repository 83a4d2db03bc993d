import type { ClocksFound } from '#audit/laws/clocks';
import { checkLaws, type Law, laws, type Verdict } from '#audit/laws/laws';
import { openedBusinessNames } from '#audit/opened';
import { newestVersionOf } from '#domain/codec';
import { counted, nounOf, thousands } from '#domain/kernel/counted';
import { hashOfEvent } from '#event-store/event-hash';
import { type DamagedStream, damagedStreamsIn } from '#requests/damaged-streams';
import { keysOfErasedPersons } from '#requests/keys-at-start';
import { lookedAt, MissingKeys } from '#vault/missing-keys';
import { foreignEventsOf, openForReading, type StoreLocation } from '#wiring/stores';
import { linesAboutDamage } from './damaged.ts';
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
    const nameIn = openedBusinessNames(stores.vault);
    const verdict = await checkLaws(events, { hashOf: hashOfEvent, newestVersionOf, nameIn, onProgress });
    progress.end();
    const seconds = Number(((performance.now() - start) / 1000).toFixed(2));
    const keysMissing = await missing.count();
    const keysDamaged = await missing.damaged();
    const keysBack = await stores.vault.keysOfErased();
    const foreign = await foreignEventsOf(location);
    const { damages } = stores.events;
    await damages?.searched();
    const damaged = damagedStreamsIn(damages);
    const keys = { keysMissing, keysDamaged: keysDamaged.length, keysOfErasedPersons: keysBack };
    if (json) printJson({ ...verdict, ...keys, foreign, damaged, seconds });
    else {
      const aboutKeys = [
        ...linesAboutMissing(keysMissing),
        ...linesAboutDamagedKeys(keysDamaged),
        ...linesAboutErased(keysBack),
      ];
      const aboutIds = linesAboutIds(verdict.laws.idTwice);
      const aboutDamage = damages ? linesAboutDamage(damaged, damages.sight) : [];
      const aboutClocks = linesAboutClocks(verdict.clocks);
      const remarks = [...aboutClocks, ...aboutKeys, ...aboutIds, ...linesAbout(foreign), ...aboutDamage];
      print(marked(verdict, damaged), remarks, seconds);
    }
    return brokenIn(verdict).length === 0 && damaged.length === 0 ? 0 : 1;
  } finally {
    await stores.close();
  }
}

/** Says of an example that its stream is damaged: what is missing there explains it. */
function marked(verdict: Verdict, damaged: readonly DamagedStream[]): Verdict {
  const streams = new Set(damaged.map(({ stream }) => stream));
  const mark = (example: string) =>
    streams.has(example.slice(0, example.lastIndexOf('@'))) ? `${example} (damaged)` : example;
  const examples = Object.entries(verdict.examples).map(([law, found]) => [law, found.map(mark)]);
  return { ...verdict, examples: Object.fromEntries(examples) };
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

/** No law is broken: nobody can mend the past of a clock. Whoever makes dates older is seen here, too. */
function linesAboutClocks({ behind, behindSeconds, stretches, forAnotherTime }: ClocksFound): readonly string[] {
  const simulated =
    forAnotherTime === 0
      ? []
      : [
          `${counted(forAnotherTime, 'event was', 'events were')} decided for another time than the clock showed, as in a simulation`,
        ];
  if (behind === 0) return simulated;
  const more = stretches.reduce((rest, { events }) => rest - events, behind);
  return [
    `${counted(behind, 'event was', 'events were')} recorded while a clock stood behind what the log had seen, by ${roughly(behindSeconds)} at most: it was set back, or had been ahead, or somebody made dates older. Compare that with what you know of the machine`,
    ...stretches.map(
      ({ from, to, storedFrom, storedTo, events, behindSeconds: seconds }) =>
        `${' '.repeat(15)}${counted(events, 'event')}, ${from} to ${to}, stored ${storedFrom} to ${storedTo}, behind by ${roughly(seconds)}`,
    ),
    ...(more > 0 ? [`${' '.repeat(15)}and ${thousands(more)} more`] : []),
    ...simulated,
  ];
}

/** In the largest unit of which there are two. */
function roughly(seconds: number): string {
  const [unit, length] = spans.find(([, span]) => seconds >= 2 * span) ?? (['second', 1] as const);
  return counted(seconds / length, unit);
}
const spans = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const;

const linesAboutMissing = (missing: number): readonly string[] =>
  missing === 0
    ? []
    : [
        `${counted(missing, 'key is', 'keys are')} missing: personal data sealed with ${nounOf(missing, 'it', 'them')} cannot be read until ${nounOf(missing, 'it is', 'they are')} restored from a backup`,
      ];

const linesAboutIds = (twice: number): readonly string[] =>
  twice === 0
    ? []
    : [
        `${counted(twice, 'event has', 'events have')} the id of an earlier one: older versions stored that when a request was repeated with its key. Each event counts, nothing is lost, and there is nothing to do: copies and backups hold them, too. If only this version wrote to the log, report it`,
      ];

const linesAboutErased = (back: number): readonly string[] =>
  back === 0
    ? []
    : [
        `${keysOfErasedPersons(back)} ${nounOf(back, 'has', 'have')} come back, from an older backup: nothing opens with ${nounOf(back, 'it', 'them')}, and the next start of the store destroys ${nounOf(back, 'it', 'them')}`,
      ];

const linesAboutDamagedKeys = ([first, ...others]: readonly string[]): readonly string[] => {
  if (first === undefined) return [];
  const count = 1 + others.length;
  return [
    `${counted(count, 'key is', 'keys are')} damaged: personal data sealed with ${nounOf(count, 'it', 'them')} cannot be read until ${nounOf(count, 'it is', 'they are')} restored from a backup; the first one is ${first}`,
  ];
};
