import type { EventStore } from './port.ts';

type OptionalMember = {
  [Name in keyof EventStore]-?: undefined extends EventStore[Name] ? Name : never;
}[keyof EventStore];

/** A node of ours serves a store itself, and its own records are looked at before anything stands before it. */
type NotPassedOn = 'appendAsServer' | 'faults';

/** A new member of the port does not compile until it is said here whether it is passed on. */
const members: Readonly<Record<Exclude<OptionalMember, NotPassedOn>, true>> = {
  answers: true,
  askBeforeAppends: true,
  breaks: true,
  damages: true,
  foreignStreams: true,
  outages: true,
  whyNotWritable: true,
};

/** What a store may say of itself, where it does. What stands before a store passes it on, all of it. */
export function passedOn(store: EventStore): Pick<EventStore, keyof typeof members> {
  const names = (Object.keys(members) as (keyof typeof members)[]).filter((name) => store[name] !== undefined);
  return Object.fromEntries(
    names.map((name) => {
      const member = store[name];
      return [name, typeof member === 'function' ? member.bind(store) : member];
    }),
  );
}
