import { Activities, type Activity, reasonToTell } from '#domain/kernel/activities';
import { LeadgerError } from '#domain/kernel/leadger-error';
import { LeadFileError } from '#requests/lead-files/lead-file-row';
import { logActivities, programLog } from './program-log.ts';

const lines: string[] = [];
const log = programLog('worker', { level: 'warn', to: { write: (line) => void lines.push(line) } });
const written = () => lines.splice(0).map((line) => JSON.parse(line));

describe('the log of a program', () => {
  test.each([
    ['an address', new Error('Mailbox unknown: ada.byron@example.org')],
    ['a telephone number', new Error('cannot dial +1 (212) 555-0142')],
    ['a row', Object.assign(new Error('Key (name)=(Byron) exists'), { severity: 'ERROR', code: '23505' })],
    ['a body', new SyntaxError('Unexpected token B in JSON at "Byron"')],
    ['the cause', new Error('it failed', { cause: new Error('to ada.byron@example.org') })],
  ])('does not quote %s of an error', (_, err) => {
    log.error({ err }, 'a request failed unexpectedly');
    expect(JSON.stringify(lines)).not.toMatch(/byron|555\W*0142/i);
    expect(written()[0]).toMatchObject({ program: 'worker', err: { type: err.name, stack: expect.any(String) } });
  });

  test('has nothing in it that a terminal acts on', () => {
    log.error({ err: new Error('it said \u009b2J and \u202e') }, 'a call failed');
    expect(lines[0]).not.toMatch(/[\u009b\u202e]/);
    expect(written()[0].err.message).toBe('it said \u009b2J and \u202e');
  });

  const activities = new Activities();
  logActivities(activities, log);
  const tell = (activity: Partial<Activity>) => {
    const ids = { id: 'c1', correlationId: 'c1', startedAt: 1, endedAt: 3.5 };
    activities.tell({ kind: 'effect', name: 'send-mail', outcome: 'failed', reason: 'it failed', ...ids, ...activity });
    return written();
  };

  test('says that a failure began, lasts and is over, but not at each attempt', () => {
    const attempts = [1, 2, 3, 4, 5, 6, 7, 8].filter((attempt) => tell({ attempt }).length > 0);
    expect(attempts).toEqual([1, 2, 4, 8]);
    expect(tell({ attempt: 9, outcome: 'done' })).toMatchObject([{ level: 40, outcome: 'done', attempt: 9 }]);
    expect(tell({ attempt: 1, outcome: 'done' })).toEqual([]);
  });

  test('warns of what a service outside refuses, and not of what a rule refuses', () => {
    expect(tell({ outcome: 'refused' })).toMatchObject([{ level: 40, outcome: 'refused' }]);
    expect(tell({ kind: 'command', outcome: 'refused' })).toEqual([]);
  });

  test('has what waits for a person, or was given up, as an error', () => {
    expect(tell({ outcome: 'given-up', attempt: 35 })).toMatchObject([{ level: 50, outcome: 'given-up' }]);
    expect(tell({ outcome: 'parked', attempt: 6 })).toMatchObject([
      { level: 50, kind: 'effect', name: 'send-mail', correlationId: 'c1', milliseconds: 2.5 },
    ]);
  });
});

test('an error is told in our own words, or by its name and code', () => {
  expect(reasonToTell(new LeadgerError('out-of-reach', 'the mail server: it failed'))).toBe(
    'the mail server: it failed',
  );
  expect(reasonToTell(Object.assign(new Error('to ada@example.org'), { code: 'EENVELOPE' }))).toBe('Error (EENVELOPE)');
  expect(reasonToTell(new TypeError('ada is not iterable'))).toBe('TypeError');
  const file = new LeadFileError('unknown columns: "Ada Example", "+1 212 555 0142"');
  expect(reasonToTell(file)).toBe('LeadFileError (not-a-file-of-leads)');
  expect(reasonToTell('ada')).toBe('something that is no error');
});
