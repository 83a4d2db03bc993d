import { once } from 'node:events';
import { openBoxes } from '#audit/opened';
import { openForReading, type Place } from '#wiring/stores';

const decoder = new TextDecoder();

/** Writes the log to standard output, one event a line; personal data sealed, or opened where that is asked for. */
export async function exportLog(place: Place, { opened = false }: { opened?: boolean }): Promise<void> {
  const stores = await openForReading(place);
  try {
    for await (const event of stores.events.readAll()) {
      const { stream, revision, position, id, type, recordedAt, hash } = event;
      const sealed = JSON.parse(decoder.decode(event.data));
      const line = {
        position,
        stream,
        revision,
        id,
        type,
        recordedAt,
        data: opened ? await openBoxes(sealed, stores.vault) : sealed,
        metadata: JSON.parse(decoder.decode(event.metadata)),
        ...(hash && { hash: Buffer.from(hash).toString('hex') }),
      };
      await writeOut(`${JSON.stringify(line)}\n`);
    }
  } finally {
    await stores.close();
  }
}

/** Waits until whoever reads our output has room for more. */
export async function writeOut(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}
