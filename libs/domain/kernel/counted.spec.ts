import { counted, nounOf } from './counted.ts';

describe('a count that people read', () => {
  test.each([
    [0, '0 keys'],
    [1, '1 key'],
    [2, '2 keys'],
    [1_234_567, '1,234,567 keys'],
  ])('%d has its noun in singular or plural', (count, text) => expect(counted(count, 'key')).toBe(text));

  test('takes the verb along', () => {
    expect([counted(1, 'key is', 'keys are'), counted(2, 'key is', 'keys are')]).toEqual(['1 key is', '2 keys are']);
    expect([nounOf(1, 'it is', 'they are'), nounOf(0, 'it is', 'they are')]).toEqual(['it is', 'they are']);
  });
});
