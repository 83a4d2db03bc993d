import { type CatalogueState, catalogueStream } from '#domain/catalogue/catalogue';
import type { Instant } from '#domain/kernel/events';
import { type PolicyVersion, policyAt, policyStream } from '#domain/policy/policy';
import type { RequestTools } from './request-tools.ts';

/** The catalogue, and the policy that is in force at an instant. */
export interface TermsOfBusiness {
  readonly catalogue: CatalogueState;
  readonly policy: PolicyVersion | undefined;
}

export async function termsOfBusiness({ stateOf }: RequestTools, at: Instant): Promise<TermsOfBusiness> {
  const [catalogue, policies] = await Promise.all([
    stateOf<'catalogue'>(catalogueStream),
    stateOf<'policy'>(policyStream),
  ]);
  return { catalogue, policy: policyAt(policies, at) };
}
