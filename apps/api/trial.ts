import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Identities } from '#requests/identities';
import { firstAccountToken } from '#requests/staff';
import type { Vault } from '#vault/vault';
import { VAULT } from '#wiring/tokens';

/** What a program says at its start as long as nobody is staff. Afterwards it says nothing. */
export async function trialLines(application: NestFastifyApplication): Promise<readonly string[]> {
  if (!(await application.get(Identities).isTrial())) return [];
  return [
    'This is a trial: nobody is staff yet, and whoever is at this machine may do everything. End it for good with the first account:',
    '  leadger admin create --email ADDRESS',
    `  or, from another machine, POST /api/staff-members/first with the token ${firstAccountToken(application.get<Vault>(VAULT))}`,
  ];
}
