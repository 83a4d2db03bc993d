/** `describe` if `npm run test:containers` found a Docker engine; otherwise the tests are reported as skipped. */
export const describeWithDocker = process.env.LEADGER_DOCKER === 'yes' ? describe : describe.skip;

export const EVENTSTOREDB = 'eventstore/eventstore:24.10';
export const POSTGRESQL = 'postgres:17';

/** Milliseconds. Images must be downloaded, and a cluster must elect a leader. */
export const START_MILLISECONDS = 300_000;
