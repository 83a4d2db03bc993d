export interface FeedMessage {
  readonly event: string;
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read events as any client does
  readonly data: any;
}

export type OpenFeed = Awaited<ReturnType<typeof openFeed>>;

/** An open connection to the feed. */
export async function openFeed(url: string, query = '', headers: Record<string, string> = {}) {
  const left = new AbortController();
  const answer = await fetch(`${url}/api/feed${query}`, { headers, signal: left.signal });
  const told = messages(answer);
  /** The next change. Positions without a change, which come in between, are skipped. */
  const anything = async (): Promise<FeedMessage> => {
    const { value, done } = await told.next();
    if (done) throw new Error('the feed is over');
    return value.event === 'here' ? anything() : value;
  };
  const change = async (): Promise<FeedMessage> => {
    const next = await anything();
    return next.event === 'change' ? next : change();
  };
  /** Closes the connection, as a network failure does. */
  const leave = async () => {
    left.abort();
    await told.next().catch(() => {});
  };
  return { answer, told, anything, change, leave };
}

async function* messages({ body }: Response): AsyncGenerator<FeedMessage, undefined> {
  let text = '';
  for await (const part of (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
    text += part;
    const whole = text.split('\n\n');
    text = whole.pop() as string;
    for (const one of whole) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(one)?.[1] ?? '';
      if (field('event')) yield { event: field('event'), id: field('id'), data: JSON.parse(field('data')) };
    }
  }
}
