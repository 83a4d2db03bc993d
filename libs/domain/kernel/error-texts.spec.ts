import { errorTextOf, messageWithoutValues, stackWithoutValues } from './error-texts.ts';

/** As PostgreSQL and its clients say it. */
const fromDatabase = (message: string, code: string) =>
  Object.assign(new Error(message), {
    code,
    detail: 'Key (email)=(zoe@example.org) already exists.',
    where: "unnamed portal parameter $1 = 'zoe@example.org'",
    parameters: ['zoe@example.org'],
  });

function thrownBy(fails: () => unknown): unknown {
  try {
    return fails();
  } catch (error) {
    return error;
  }
}

test.each([
  ['a key twice', fromDatabase('duplicate key value violates unique constraint "customers_pkey"', '23505')],
  ['a value of another type', fromDatabase('invalid input syntax for type date: "zoe@example.org"', '22P02')],
  ['a text that is no JSON', thrownBy(() => JSON.parse('"zoe@example.org'))],
  ['an address that is none', thrownBy(() => new URL('zoe@example.org'))],
  [
    'an error with a cause',
    new Error('it failed', { cause: fromDatabase('zoe@example.org is out of range', '22003') }),
  ],
  ['what is no error', 'zoe@example.org'],
])('%s is told without the value', (_, error) => {
  const told = errorTextOf(error);
  expect(JSON.stringify(told)).not.toContain('zoe@');
  if (error instanceof Error) {
    expect(told.stack).toContain('error-texts.spec');
    expect(messageWithoutValues(error) + stackWithoutValues(error)).not.toContain('zoe@');
  }
});

test('the code is told, and a message that is ours', () => {
  const told = errorTextOf(fromDatabase('duplicate key value', '23505'));
  expect(told).toMatchObject({ type: 'Error', code: '23505', message: expect.stringContaining('23505') });
  expect(messageWithoutValues(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))).toBe('write EPIPE');
  expect(messageWithoutValues(new RangeError('a defect'))).toBe('a defect');
});
