import { unsealed } from '#domain/kernel/events';
import type { AnyCommand } from '#domain/ledger';
import { mailStream } from '#domain/notifications/mail';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import type { EventStore } from '#event-store/port';
import { openVault } from '#vault/key-vault';
import type { Vault } from '#vault/vault';
import { sealOlderTexts } from './older-texts.ts';
import { StreamCache } from './stream-cache.ts';

describe('texts that an older version stored as they are', () => {
  let store: EventStore;
  let vault: Vault;
  beforeEach(async () => {
    store = await openEmbeddedStore();
    vault = await openVault({});
  });
  afterEach(async () => {
    await vault.close();
    await store.close();
  });

  const at = '2026-05-01T10:00:00.000Z';
  const explanation = unsealed('We reached Pat Example.', 'explanation');
  const mail = { kind: 'chargeback-denied', customerId: 'c1', eventId: 'e1', happenedAt: at } as const;
  const sealedFor = (command: AnyCommand) =>
    sealOlderTexts({ streams: new StreamCache(store), vault }, mailStream('m1'), command);

  it('are sealed before a process stores them again, and secrets stay secrets', async () => {
    const token = { ...unsealed('t', 'link-token'), secret: true as const };
    const command = await sealedFor({ type: 'WishMail', at, ...mail, facts: { orderId: 'o1', explanation, token } });
    expect(command).toMatchObject({
      facts: {
        orderId: 'o1',
        explanation: { purpose: 'explanation', keyId: expect.not.stringMatching('unsealed') },
        token: { purpose: 'link-token', secret: true },
      },
    });
    const { facts } = command as Extract<AnyCommand, { type: 'WishMail' }>;
    expect(await vault.open(facts.explanation ?? explanation)).toBe('We reached Pat Example.');
    await vault.erase('customer-c1');
    expect(await vault.open(facts.explanation ?? explanation)).toBeUndefined();
  });

  it('are few: any other command is sent as it is', async () => {
    const command = { type: 'WishMail', at, ...mail, facts: { orderId: 'o1', leads: 3 } } as const;
    expect(await sealedFor(command)).toBe(command);
  });
});
