import { z } from 'zod';
import { Responds } from './responses.ts';

const thing = z.object({ thingId: z.string(), leads: z.int() });
const example = { thingId: 'one', leads: 2 };

/** `npm run types` checks these: a line with `@ts-expect-error` that compiles is an error. */
class ThingsController {
  @Responds(200, 'The thing.', thing, example)
  async exact() {
    return { thingId: 'one', leads: 2 };
  }

  // @ts-expect-error: leads are missing
  @Responds(200, 'The thing.', thing, example)
  async tooFew() {
    return { thingId: 'one' };
  }

  // @ts-expect-error: the documentation does not know the price
  @Responds(200, 'The thing.', thing, example)
  async tooMany() {
    return { thingId: 'one', leads: 2, price: 3 };
  }

  // @ts-expect-error: leads are a number
  @Responds(200, 'The thing.', thing, example)
  async another() {
    return { thingId: 'one', leads: '2' };
  }
}

it('a route that answers a field too many, too few or of another type does not compile', async () => {
  expect(thing.parse(await new ThingsController().exact())).toEqual(example);
});
