import { AppendQueue } from './append-queue.ts';

/** Appends that are answered by hand, and the names of those that were sent. */
function queueOnConnections() {
  const sent: string[] = [];
  const answers = new Map<string, () => void>();
  let connection: object = { first: true };
  const queue = new AppendQueue(() => connection);
  const add = (name: string, { until = Number.POSITIVE_INFINITY, isFound = false } = {}) => {
    const send = () => {
      sent.push(name);
      const over = connection;
      const answer = Promise.withResolvers<{ result: string; over: object | undefined }>();
      answers.set(name, () => answer.resolve({ result: name, over: isFound ? undefined : over }));
      return answer.promise;
    };
    const expired = () => new Error(`${name} is late`);
    return queue.add({ until, expired, send: async () => (await send()).result, sendUntilAnswered: send });
  };
  const answer = async (name: string) => {
    answers.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const reconnect = () => {
    connection = {};
  };
  return { add, answer, sent, reconnect };
}

describe('the queue of appends', () => {
  it('sends one alone until it is answered, then many at once', async () => {
    const { add, answer, sent } = queueOnConnections();
    for (const name of ['a', 'b', 'c']) void add(name);
    expect(sent).toEqual(['a']);
    await answer('a');
    expect(sent).toEqual(['a', 'b', 'c']);
  });

  it('sends one alone over a new connection, also when one over the former connection was answered since', async () => {
    const { add, answer, sent, reconnect } = queueOnConnections();
    for (const name of ['a', 'b', 'c']) void add(name);
    reconnect();
    await answer('a');
    expect(sent).toEqual(['a', 'b']);
    await answer('b');
    expect(sent).toEqual(['a', 'b', 'c']);
  });

  it('sends one alone after one that was not sent, because it was written already', async () => {
    const { add, answer, sent } = queueOnConnections();
    void add('a', { isFound: true });
    for (const name of ['b', 'c']) void add(name);
    await answer('a');
    expect(sent).toEqual(['a', 'b']);
  });

  it('gives up what waits for longer than its caller', async () => {
    const { add, sent } = queueOnConnections();
    void add('a');
    await expect(add('b', { until: performance.now() })).rejects.toThrow('b is late');
    expect(sent).toEqual(['a']);
  });
});
