import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { decode, type Fact, versionOf } from '#domain/codec';
import { isBox, isUnsealed, type Sealed } from '#domain/kernel/events';
import { deriveId } from '#domain/kernel/ids';
import { type Family, familyOf, ledger } from '#domain/ledger';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { CommandHandler } from '#requests/command-handler';
import { beginRewriting } from '#requests/log-origin';
import { close as closeBox, KEY_BYTES } from '#vault/boxes';
import { openVault } from '#vault/key-vault';
import type { Vault } from '#vault/vault';
import { NoCopy } from './copy-log.ts';
import { copySealed } from './sealed-copy.ts';

const at = '2026-05-01T10:00:00.000Z';
const SAMPLES = join(import.meta.dirname, '../../test/stored-events');
/** No word of any language, so that it is in a log only where its text is. */
const MARK = 'Zqxjkvw';

let directory: string;
let vault: Vault;
let source: EventStore;
let target: EventStore;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'leadger-sealed-copy-'));
  vault = await openVault({ directory });
  [source, target] = [await openEmbeddedStore(), await openEmbeddedStore()];
});
afterEach(async () => {
  await vault.close();
  await source.close();
  await target.close();
  rmSync(directory, { recursive: true });
});

const bytes = (value: object) => Buffer.from(JSON.stringify(value));
let stored = 0;

/** Stores an event as an older version did. */
async function store(stream: string, type: string, data: object, metadata: object = {}): Promise<void> {
  stored += 1;
  const id = deriveId('stored', String(stored));
  const cause = { commandId: id, correlationId: id, actor: 'staff:ada', ...metadata };
  await source.append(stream, [{ id, type, data: bytes({ at, ...data }), metadata: bytes(cause) }], 'any');
}

/** A box as older versions made it, with a key that they made. */
async function olderBox(subject: string, value: unknown): Promise<Sealed> {
  const [keyId, key] = [`key of ${subject}`, Buffer.alloc(KEY_BYTES, 9)];
  const master = Buffer.from(readFileSync(join(directory, 'master.key'), 'utf8'), 'base64');
  await vault.close();
  const keys = new Database(join(directory, 'keys.sqlite'));
  const insert = keys.prepare('INSERT INTO keys (key_id, subject, wrapped) VALUES (?, ?, ?)');
  insert.run(keyId, subject, closeBox(master, key, keyId));
  keys.close();
  vault = await openVault({ directory });
  return { keyId, box: closeBox(key, bytes(value as object), keyId).toString('base64') };
}

async function copyOfIt(to = target) {
  await beginRewriting(new CommandHandler(target), await source.identity(), at);
  return copySealed(source, to, vault);
}

/** The facts of the copy, without the one that says that it is a copy. */
async function factsIn(log: EventStore): Promise<Fact[]> {
  const facts: Fact[] = [];
  for await (const event of log.readAll()) if (event.stream !== 'log-main') facts.push(decode(event));
  return facts;
}

const only = async () => (await factsIn(target))[0] as Fact;

function boxesIn(value: unknown): readonly Sealed[] {
  if (typeof value !== 'object' || value === null) return [];
  return isBox(value) ? [value] : Object.values(value).flatMap(boxesIn);
}

const newestVersionOf = ({ stream, type }: Fact): number => {
  const { upcasters }: Family = ledger[familyOf(stream)];
  return 1 + (upcasters[type]?.length ?? 0);
};

/** Of streams that do not name their customer, the first event does. */
const firstEvents: Readonly<Record<string, string>> = {
  order: 'OrderPlaced.v1',
  programme: 'ProgrammeJoined.v1',
  replacement: 'ReplacementRequested.v1',
  ticket: 'TicketOpened.v1',
  checkout: 'CheckoutStarted.v1',
};

async function streamWithCustomer(family: string, id: string): Promise<string> {
  const [stream, first] = [`${family}-${id}`, firstEvents[family]];
  if (!first) return stream;
  const { data } = JSON.parse(readFileSync(join(SAMPLES, `${first}.json`), 'utf8'));
  await store(stream, first.split('.')[0] as string, data);
  return stream;
}

const registration = { storeId: 'main', timeZone: 'UTC', businessAssociation: `${MARK} Vitamins` };

describe('a log of an older version that is copied with --seal', () => {
  it('has every sample of every event in its newest version, and no text that is not sealed', async () => {
    const samples = readdirSync(SAMPLES).filter((name) => name.endsWith('.json') && !/^(LogR|Rewri)/.test(name));
    for (const name of samples) {
      const { stream, data, metadata } = JSON.parse(readFileSync(join(SAMPLES, name), 'utf8'));
      const own = await streamWithCustomer(familyOf(stream), name);
      await store(own, name.split('.')[0] as string, data, metadata);
    }
    await copyOfIt();
    for await (const event of target.readAll()) {
      const fact = decode(event);
      expect([fact.type, versionOf(event)]).toEqual([fact.type, newestVersionOf(fact)]);
      expect(boxesIn([fact.data, fact.cause.reason]).filter(isUnsealed)).toEqual([]);
    }
    expect(samples.length).toBeGreaterThan(90);
  });

  it('has texts in boxes, under the key of whom they are about, and bound to their purpose', async () => {
    await store('customer-c1', 'CustomerRegistered', registration, { reason: `${MARK} called` });
    await store('replacement-r1', 'ReplacementRequested', {
      ...{ orderId: 'o1', leadId: 'l1', leadTypeId: 't1', customerId: 'c1', storeId: 'main', reason: 'wrong number' },
      ...{ note: await olderBox('lead-l1', { note: MARK }), deliveredAt: at, verifyBy: at, policyVersion: 1 },
    });
    const denial = { orderId: 'o1', leadId: 'l1', explanation: `${MARK} answered` };
    await store('replacement-r1', 'ChargebackDenied', denial, { reason: 'called' });
    await store('catalogue-main', 'StatementDescriptorSet', { descriptor: 'SHOP' }, { reason: `${MARK} wants it` });
    const { copied, compared, counts } = await copyOfIt();
    expect({ copied, compared, counts }).toEqual({
      ...{ copied: 4, compared: 4 },
      counts: { sealed: 5, bound: 1, erased: 0, unreadable: 0 },
    });

    const facts = await factsIn(target);
    const boxes = facts.flatMap(({ data, cause }) => boxesIn([data, cause.reason]));
    expect(boxes.map(({ purpose }) => purpose)).toEqual([
      ...['business-association', 'reason', 'note', 'explanation', 'reason', 'reason'],
    ]);
    expect(await Promise.all(boxes.map((box) => vault.open(box)))).toEqual([
      ...[`${MARK} Vitamins`, `${MARK} called`, { note: MARK }, `${MARK} answered`, 'called', `${MARK} wants it`],
    ]);
    expect(facts[0]?.data).toMatchObject({ businessKey: vault.personKey('business', `${MARK.toLowerCase()}vitamins`) });

    await vault.erase('customer-c1');
    const left = (await Promise.all(boxes.map((box) => vault.open(box)))).map((value) => value !== undefined);
    expect(left).toEqual([false, false, true, false, false, true]);
  });

  it('has nothing of a person who was erased, plain or sealed', async () => {
    const name = await olderBox('customer-c1', { firstName: MARK });
    await store('customer-c1', 'CustomerRegistered', { ...registration, name });
    await vault.erase('customer-c1');
    expect((await copyOfIt()).counts).toEqual({ sealed: 0, bound: 0, erased: 2, unreadable: 0 });
    const empty = { keyId: name.keyId, box: '' };
    expect((await only()).data).toMatchObject({
      name: { ...empty, purpose: 'name' },
      businessAssociation: { ...empty, purpose: 'business-association' },
    });
    expect(await vault.open(boxesIn((await only()).data)[0] as Sealed)).toBeUndefined();
  });

  it('has boxes whose key is missing as they are: the key may come back', async () => {
    const name = { keyId: 'lost', box: 'c2VhbGVk' };
    await store('customer-c1', 'NameChanged', { name });
    expect((await copyOfIt()).counts).toMatchObject({ unreadable: 1 });
    expect((await only()).data).toEqual({ at, name });
  });

  it('has reasons of looks under the key of their month, so that retention ends them, whichever version recorded them', async () => {
    const look = (customerId: string, reason: unknown) =>
      store(`looks-${customerId}`, 'CustomerHistoryShown', { customerId }, { reason });
    await look('c1', 'called');
    await look('c1', await vault.seal('customer-c1', 'reason', 'wrote'));
    const present = await vault.seal('looks-c1/2026-05', 'reason', 'came');
    await look('c1', present);
    const aboutErased = await vault.seal('reasons-about-erased', 'reason', 'asked');
    await look('c1', aboutErased);
    await copyOfIt();
    const reasons = (await factsIn(target)).map(({ cause }) => cause.reason as Sealed);
    const opened = () => Promise.all(reasons.map((box) => vault.open(box)));
    expect(await opened()).toEqual(['called', 'wrote', 'came', 'asked']);
    expect(reasons.slice(2)).toEqual([present, aboutErased]);
    await vault.erase('looks-c1/2026-05');
    expect(await opened()).toEqual([undefined, undefined, undefined, 'asked']);
  });

  it('has no reason of a look at a customer who was erased, whenever that was', async () => {
    await vault.erase('customer-c1');
    await store('looks-c1', 'CustomerHistoryShown', { customerId: 'c1' }, { reason: 'called' });
    await copyOfIt();
    expect(await vault.open((await only()).cause.reason as Sealed)).toBeUndefined();
  });

  it('has one box for the reason of several events of a command', async () => {
    const [commandId, reason] = [deriveId('one'), 'called'];
    for (const timeZone of ['UTC', 'Europe/Paris'])
      await store('customer-c1', 'TimeZoneChanged', { timeZone }, { commandId, reason });
    await copyOfIt();
    const [one, other] = (await factsIn(target)).map(({ cause }) => cause.reason?.box);
    expect(one).toBe(other);
  });

  it('has ids in place of names and addresses, and keyed hashes in place of others', async () => {
    const [actor, requestHash] = [`staff:${MARK}@example.org`, 'a'.repeat(64)];
    await store('customer-c1', 'TimeZoneChanged', { timeZone: 'UTC' }, { actor, requestHash });
    const tried = { code: `${MARK}-10`, customerId: 'c1', checkoutId: 'k1', reason: 'unknown' };
    await store('coupon-x1', 'CouponRefused', tried);
    await store('coupon-x2', 'CouponRefused', { ...tried, code: 'SAVE' });
    const coupon = { code: 'SAVE', storeIds: ['main'], discount: { percent: 10 }, validFrom: at };
    await store('coupon-x2', 'CouponDefined', coupon);

    const { renamed } = await copyOfIt();
    const [changed, ...coupons] = await factsIn(target);
    const id = `staff:former-${vault.personKey('actor', actor)}`;
    expect([...renamed]).toEqual([[actor, id]]);
    expect(changed?.cause).toMatchObject({ actor: id, requestHash: vault.personKey('request', requestHash) });
    expect(coupons.map(({ data }) => (data as { code: string }).code)).toEqual(['x1', 'SAVE', 'SAVE']);
  });

  it('counts events in place of positions: one more, because the copy begins with a fact of its own', async () => {
    for (const timeZone of ['UTC', 'Europe/Paris']) await store('customer-c1', 'TimeZoneChanged', { timeZone });
    const decision = {
      ...{ rule: 'order-served-longest-ago', rank: { placedAt: at }, decidedAt: at, policyVersion: 1 },
      ...{ decidedOn: '0000000000000002', decisionIndex: 0 },
    };
    const assigned = { leadTypeId: 't1', openPlaces: 0, orderId: 'o1', customerId: 'c1', businessKey: 'abc' };
    await store('lead-l1', 'LeadAssigned', { ...assigned, decision }, { eventsSeen: 2 });
    await copyOfIt();
    const { data, cause } = (await factsIn(target))[2] as Fact;
    const { decidedOn: _, ...others } = decision;
    expect(data).toMatchObject({
      decision: { ...others, eventsSeen: 3 },
      businessKey: vault.personKey('business', 'abc'),
    });
    expect(data).not.toHaveProperty('decision.decidedOn');
    expect(cause.eventsSeen).toBe(3);
  });

  it('has the same order, streams, revisions, ids and types', async () => {
    for (const [index, timeZone] of ['UTC', 'Europe/Paris', 'Europe/Rome'].entries())
      await store(`customer-c${index % 2}`, 'TimeZoneChanged', { timeZone });
    await copyOfIt();
    const places = async (log: EventStore) =>
      (await factsIn(log)).map(({ stream, revision, eventId, type }) => [stream, revision, eventId, type]);
    expect(await places(target)).toEqual(await places(source));
  });

  it('continues where it was interrupted, and copies nothing twice', async () => {
    for (let number = 0; number < 600; number += 1)
      await store(`customer-c${number % 7}`, 'TimeZoneChanged', { timeZone: 'UTC' }, { reason: `call ${number}` });
    let appended = 0;
    const failing: EventStore = {
      ...target,
      readAll: (options) => target.readAll(options),
      append(...parameters) {
        appended += 1;
        return appended > 300 ? Promise.reject(new Error('the disk is gone')) : target.append(...parameters);
      },
    };
    await expect(copyOfIt(failing)).rejects.toThrow('the disk is gone');
    const { copied, compared } = await copyOfIt();
    expect(copied).toBeLessThan(600);
    expect(compared).toBe(600);
  });
});

describe('no sealed copy is made', () => {
  beforeEach(() => store('customer-c1', 'CustomerRegistered', registration));

  it.each([
    ['of a log that a proof commits to its bytes', 'proofs-main', 'CheckpointSigned', 'cannot be rewritten any more'],
    ['of a log that is such a copy', 'log-main', 'LogRewritten', 'was rewritten already'],
    ['of an event that this version would not store', 'customer-c1', 'TimeZoneChanged', 'has not the form'],
  ])('%s', async (_, stream, type, why) => {
    await store(stream, type, { from: 'other' });
    await expect(copyOfIt()).rejects.toThrow(NoCopy);
    await expect(copySealed(source, target, vault)).rejects.toThrow(why);
  });

  it('into a log that says something else', async () => {
    await copyOfIt();
    const [other] = [await openEmbeddedStore()];
    for await (const event of source.readAll())
      await other.append(event.stream, [{ ...event, data: bytes({ at, ...registration, storeId: 'other' }) }], 'any');
    await expect(copySealed(other, target, vault)).rejects.toThrow('does not say the same');
    await other.close();
  });
});
