import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Activities, activityTime, reasonToTell } from '#domain/kernel/activities';
import type { RecordedEvent } from '#event-store/port';
import { reasonWithoutValues } from '../errors.ts';
import type { ParkedStream } from './copies.ts';

const cause = z.object({ commandId: z.string(), correlationId: z.string() });
const decoder = new TextDecoder();

/** What a projection tells of itself: why it cannot go on, what it parks and, for traces, each event that it applied. */
export class ProjectionTelling {
  readonly #name: string;
  readonly #activities: Activities | undefined;

  constructor(name: string, activities: Activities | undefined) {
    this.#name = name;
    this.#activities = activities;
  }

  failed(error: unknown, attempt: number): void {
    const reason = error instanceof Error ? reasonWithoutValues(error, reasonToTell) : reasonToTell(error);
    this.#tell({ outcome: 'failed', reason, attempt });
  }

  parked({ stream, revision }: ParkedStream): void {
    this.#tell({ outcome: 'parked', stream, reason: `its event at revision ${revision} could not be applied` });
  }

  /** Told one by one only for traces: a model applies thousands of events a second. */
  applied(events: readonly RecordedEvent[], startedAt: number): void {
    if (!this.#activities?.tellsRows) return;
    const endedAt = activityTime();
    for (const { id: eventId, type, stream, metadata } of events) {
      const found = cause.safeParse(jsonIn(metadata));
      if (!found.success) continue;
      const { commandId, correlationId } = found.data;
      const parent = { kind: 'append', id: commandId, correlationId } as const;
      const about = { kind: 'row', name: this.#name, id: `${this.#name}/${eventId}`, correlationId, parent } as const;
      this.#activities.tell({ ...about, stream, details: { event: type }, outcome: 'done', startedAt, endedAt });
    }
  }

  #tell(what: {
    readonly outcome: 'failed' | 'parked';
    readonly reason: string;
    readonly attempt?: number;
    readonly stream?: string;
  }): void {
    const [at, id] = [activityTime(), randomUUID()];
    const about = { kind: 'read-model', name: this.#name, id, correlationId: id, startedAt: at, endedAt: at } as const;
    this.#activities?.tell({ ...about, ...what });
  }
}

function jsonIn(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
}
