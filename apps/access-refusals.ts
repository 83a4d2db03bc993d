import type { ErrorCode } from './error-codes.ts';
import { refused } from './refused.ts';

/** Refusals about who asks, about members of staff and about API keys. */
export const accessRefusals: Readonly<Record<string, ErrorCode>> = {
  'staff-only': refused(403, 'Only staff may do this.', 'Sign in as a member of staff.'),
  'support-only': refused(403, 'Only support may do this.', 'Sign in as a member of staff who has the role support.'),
  'other-role': refused(
    403,
    'This is for staff with another role.',
    'Ask an administrator for the role that the message names.',
  ),
  'other-store': refused(
    403,
    'The roles of who asks do not hold in this store, or this is about all stores.',
    'Ask a member of staff of that store, or of all stores.',
  ),
  'two-members-needed': refused(
    403,
    'The policy wants two members of staff for this, who signed in. The key of a program, and a command at the machine, are no member.',
    'Two members of staff ask over HTTP: one asks, and another one approves.',
  ),
  'second-member-needed': refused(
    409,
    'Nobody approves what they asked for.',
    'Ask another member of staff to approve it.',
    'approvalId',
  ),
  'approval-unknown': refused(
    409,
    'Nothing waits for this approval: it was given, has expired after seven days, or was never asked for.',
    'Ask for it again, without an approvalId.',
    'approvalId',
  ),
  'asker-without-role': refused(
    409,
    'Who asked for this is not support of all stores any more.',
    'Ask for it yourself, without an approvalId: another member of support approves it.',
    'approvalId',
  ),
  'approval-for-another': refused(
    409,
    'The request that waits for this approval is about another person, or is an export where an erasure was asked for.',
    'Name the person exactly as in the request: by the same id, telephone number or e-mail address.',
    'person',
  ),
  'administrator-only': refused(
    403,
    'Only administrators of all stores may do this.',
    'Sign in as an administrator, or ask one.',
  ),
  'sign-in-needed': refused(
    401,
    'The request does not say who asks.',
    'Sign in (POST /api/sign-ins), or send the key of a program as Authorization: Bearer.',
  ),
  'factor-required': refused(
    403,
    'A member of staff signed in without a second factor. Such a session may add one, look at itself and sign out.',
    'Add a factor: POST /api/factors/totp, then POST /api/factors/totp/{factorId}/confirm with a code of the app; or a passkey.',
  ),
  'factor-stale': refused(
    403,
    'This needs a second factor that was proved in the last ten minutes.',
    'Prove it: POST /api/sessions/current/prove with a code of the app, or a passkey; then send the request again with the new token.',
  ),
  'factor-wrong': refused(
    409,
    'The code or the passkey is another one, has expired, or was used before. Each code, and each challenge, counts once. At a sign-in, the status is 401.',
    'Wait for the next code of the app, and check the clock of the device; or ask for new options of the passkey.',
    'code',
  ),
  'factor-unknown': refused(
    409,
    'There is no such factor, or another one was offered since.',
    'List the factors (GET /api/factors), or begin again (POST /api/factors/totp).',
    'factorId',
  ),
  'no-factor': refused(409, 'Recovery codes stand in for a factor, and there is none.', 'Add a factor first.'),
  'passkey-known': refused(409, 'The account has this passkey already.', 'Add another one, or use this one.'),
  'last-factor': refused(409, 'Staff sign in with a factor, and this is the last one.', 'Add another one first.'),
  'too-many-factors': refused(409, 'Nobody has more than ten factors.', 'Remove one first.'),
  'not-your-factors': refused(
    403,
    'Only whoever signed in adds and removes the own factors.',
    'Sign in; an administrator resets the factors of a member who lost them, and support those of a customer.',
  ),
  'own-factors': refused(
    403,
    'Nobody resets the own factors: another one is added first, and then the lost one removed.',
    'Use a recovery code, ask another administrator, or run `leadger admin reset-factor` on the machine of the store.',
  ),
  'not-your-password': refused(
    403,
    'Everybody changes the own password only.',
    'Sign in as that member, or send them a new invitation (POST /api/staff-members/{memberId}/invite).',
  ),
  'first-account-token-wrong': refused(
    403,
    'This is not the token of the trial.',
    'Take the token that the programs of this store print at their start.',
    'token',
  ),
  'trial-over': refused(409, 'The store has members of staff.', 'Ask an administrator to add you.'),
  'trial-goes-on': refused(
    409,
    'The first member of staff is an administrator.',
    'Add the first administrator: POST /api/staff-members/first, or leadger admin create.',
  ),
  'staff-member-unknown': refused(
    409,
    'There is no such member of staff.',
    'List the members, and check the id.',
    'memberId',
  ),
  'staff-address-taken': refused(
    409,
    'Another member of staff has this e-mail address.',
    'Use another address, or change the roles of that member.',
    'email',
  ),
  'last-administrator': refused(
    409,
    'Nobody else could give rights.',
    'Make somebody else an administrator first, who has accepted the invitation.',
  ),
  'administrator-of-all-stores': refused(
    409,
    'An administrator is one of all stores.',
    'Send `all` as stores.',
    'stores',
  ),
  'invitation-invalid': refused(
    409,
    'The invitation was used, has expired, was replaced by a newer one, or was never sent.',
    'Ask an administrator for a new one.',
    'token',
  ),
  'no-store': refused(409, 'There is no store yet, in whose name an invitation could come.', 'Open a store.'),
  'api-key-unknown': refused(409, 'There is no such API key.', 'List the keys, and check the id.', 'apiKeyId'),
  'api-key-revoked': refused(409, 'The API key was revoked.', 'Issue a new one.'),
  'form-unknown': refused(
    404,
    'There is no such form, or its key was revoked or has expired.',
    'Take the id of the form from the list of keys.',
  ),
  'origin-refused': refused(
    403,
    'The key, or the form, is not taken from pages of this origin.',
    'Name the origin when the key is issued, and send the request from a page of it.',
  ),
  'form-of-lead-source': refused(
    409,
    'A key with a form has no role but lead-source, names origins, and its page of thanks is at one of them.',
    'Issue a key of its own for the form.',
    'form',
  ),
  'api-key-expiry': refused(
    409,
    'A key expires at an instant of the next 400 days.',
    'Send such an instant.',
    'expiresAt',
  ),
};
