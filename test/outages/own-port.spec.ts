import { ownPort } from './own-port.ts';

test('a port whose node is away is not given to another run', async () => {
  const first = await ownPort();
  const choices = [first.port, first.port, first.port + 2];
  const second = await ownPort(() => choices.shift() ?? first.port + 4);
  expect(second.port).not.toBe(first.port);
  await first.release();
  const third = await ownPort(() => first.port);
  expect(third.port).toBe(first.port);
  await Promise.all([second.release(), third.release()]);
});
